cd ~/devops-api && npm run -s tour -- --check 10
