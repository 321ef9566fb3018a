FROM node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed by what runs in production.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY deploy/sbom.ts deploy/
RUN npm run -s sbom >sbom.cdx.json

FROM node:26-bookworm-slim
ENV NODE_ENV=production \
    DATABASE_URL=sqlite:/data/paynotify.db
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=dependencies /app/sbom.cdx.json ./
COPY package.json LICENSE ./
COPY src src
COPY deploy/healthcheck.sh /usr/local/bin/healthcheck
# One arena: glibc would give each thread its own, and keep what they once held. A small young generation: a notification
# lives for milliseconds (more of it costs memory and saves CPU: docs/performance.md). An old one as Node takes it within
# 512 MiB: on a large machine it would let garbage lie.
ENV NODE_COMPILE_CACHE=/app/.cache \
    MALLOC_ARENA_MAX=1 \
    NODE_OPTIONS="--max-semi-space-size=4 --max-old-space-size=256"
RUN mkdir /data .cache \
 && chown node:node /data .cache \
 && ln -s /app/src/cli.ts /usr/local/bin/paynotify
# What Node compiles and strips of its types is kept in the image: starts are faster and take less memory. The demo runs
# all that a service does, but PostgreSQL; the help loads every command. By the user that will read it, whose number is in
# the name of Node's folder; after that it is nobody's to write.
USER 1000:1000
RUN node src/cli.ts demo --exit >/dev/null \
 && node src/cli.ts --help >/dev/null \
 && node --input-type=module --eval "await import('/app/src/store/postgres/index.ts')"
USER root
RUN chown -R root:root .cache && chmod -R a+rX .cache
# By number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["healthcheck"]
# `docker run IMAGE` serves, confined by Node's permission model (src/commands/confine.ts); `docker run IMAGE migrate` runs
# a command. SIGUSR1 would open the debugger.
ENTRYPOINT ["node", "--disable-sigusr1", "/app/src/cli.ts"]
CMD ["serve"]
ARG REVISION=""
LABEL org.opencontainers.image.title="paynotify" \
      org.opencontainers.image.description="The receiver for Antom / APO payment notifications: verified, stored, applied, acknowledged" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/library/node:26-bookworm-slim"
