FROM docker.io/library/node:26-bookworm-slim AS install
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY src/service src/service
COPY src/canary src/canary
RUN mkdir /cache

FROM gcr.io/distroless/nodejs26-debian13:nonroot
ARG VERSION=dev
LABEL org.opencontainers.image.title="devops-api" \
  org.opencontainers.image.description="The canary target for progressive delivery with the Kubernetes Gateway API" \
  org.opencontainers.image.source="https://github.com/devops-api/devops-api" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="$VERSION"
WORKDIR /app
ENV NODE_ENV=production NODE_COMPILE_CACHE=/cache NODE_OPTIONS=--import=/app/src/service/compileCache.js
COPY --from=install /app .
COPY --from=install --chown=65532:65532 /cache /cache
# Numeric, so that Kubernetes can verify runAsNonRoot.
USER 65532
# Starts the service, loads what it loads later, and stops it: this fills the compile cache, which is good for this Node only.
RUN ["/nodejs/bin/node", "--eval", "process.env.PORT = '0'; Promise.all([import('/app/src/service/server.ts'), import('prom-client'), import('@fastify/swagger')]).then(() => process.kill(process.pid, 'SIGTERM'))"]
# The same for the canary CLI, which `helm test` and Jobs run.
RUN ["/nodejs/bin/node", "src/canary/main.ts", "check", "--help"]
# For any user that a platform chooses.
RUN ["/nodejs/bin/node", "--eval", "for (const name of fs.readdirSync('/cache', { recursive: true })) fs.chmodSync('/cache/' + name, 0o755)"]
EXPOSE 8080
CMD ["src/service/server.ts"]
