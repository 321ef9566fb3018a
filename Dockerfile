FROM node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed by what runs in production.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:26-bookworm-slim
ENV NODE_ENV=production \
    DATABASE_URL=sqlite:/data/paynotify.db
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
# What Node compiles and strips of its types is kept in the image: starts are faster and take less memory. The demo
# runs all that a service does. One arena: glibc would give each thread its own, and keep what they once held. A small
# young generation: a notification lives for milliseconds (more of it costs memory and saves CPU: docs/performance.md).
ENV NODE_COMPILE_CACHE=/app/.cache \
    MALLOC_ARENA_MAX=1 \
    NODE_OPTIONS=--max-semi-space-size=4
RUN node src/cli.ts demo --exit >/dev/null \
 && mkdir /data \
 && chown node:node /data \
 && ln -s /app/src/cli.ts /usr/local/bin/paynotify
# By number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# SIGUSR1 would open the debugger.
CMD ["node", "--disable-sigusr1", "src/main.ts"]
