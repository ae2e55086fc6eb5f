# Two stages: what it takes to build, and what it takes to run. See docs/deploy.md.
# A tag moves; a digest does not. Pin it by --build-arg NODE_IMAGE=node:24-slim@sha256:…, as docs/deploy.md shows.
ARG NODE_IMAGE=node:24-slim
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
# With what draws pages and recognises their text, which is optional; without a Node of its own, which is optional, too.
RUN npm run build && npm ci --omit=dev && rm -rf node_modules/node-linux-*

FROM ${NODE_IMAGE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
# Belongs to root, so the engine cannot change what it runs.
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY dashboard dashboard
COPY examples/welcome.pdf examples/welcome.pdf
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# As process 1 it handles SIGTERM itself, and it waits for its own children: no init is needed.
# Left to itself V8 lets young objects take 128 MiB before it clears them away.
ENTRYPOINT ["node", "--max-semi-space-size=16", "dist/main.js"]
