FROM --platform=$BUILDPLATFORM docker.io/library/node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY . .
RUN npm run build && mkdir /cache

FROM gcr.io/distroless/nodejs26-debian13:nonroot AS run
WORKDIR /app
ENV NODE_ENV=production NODE_COMPILE_CACHE=/cache NODE_OPTIONS=--import=/app/compileCache.js
COPY --from=build /app/dist .
# Numeric, so that Kubernetes can verify runAsNonRoot.
USER 65532

# Fills the compile cache, which is good for this Node only, in a stage of its own, so that no layer has the files twice.
FROM run AS warm
COPY --from=build --chown=65532:65532 /cache /cache
# Starts the service, asks for what it loads later, and stops it.
RUN ["/nodejs/bin/node", "warmUp.js"]
# The same for the canary CLI, which `helm test` and Jobs run.
RUN ["/nodejs/bin/node", "canary.js", "check", "--help"]

FROM run
ARG VERSION=dev
LABEL org.opencontainers.image.title="devops-api" \
  org.opencontainers.image.description="The canary target for progressive delivery with the Kubernetes Gateway API" \
  org.opencontainers.image.source="https://github.com/devops-api/devops-api" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="$VERSION"
# For any user that a platform chooses.
COPY --from=warm --chmod=755 /cache /cache
EXPOSE 8080
CMD ["service/server.js"]
