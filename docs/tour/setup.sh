curl -fsSL https://deb.nodesource.com/setup_24.x | bash - && apt-get install -y nodejs
git clone https://github.com/devops-api/devops-api ~/devops-api && cd ~/devops-api && npm ci
curl -fsSL https://raw.githubusercontent.com/helm/helm/main/scripts/get-helm-4 | bash
npm run tour
