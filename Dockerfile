# recuse in a container: `recuse serve` by default, any other command by name. Prompts, tables and configuration examples are in
# the binary. It needs nothing but a folder for its state, /var/lib/recuse, so the root can be read-only:
#   docker run --read-only --tmpfs /tmp -v recuse:/var/lib/recuse -p 8080:8080 recuse
# A repository is read by its owner, since git trusts nobody else with it:
#   docker run --rm --read-only --tmpfs /tmp --user "$(id -u):$(id -g)" --env HOME=/tmp -v "$PWD:/repo:ro" -w /repo recuse review
ARG RUST=1.95.0
FROM rust:${RUST}-slim-bookworm AS build
# The image has a compiler for C; a scanner of one of the parsers is C++.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
ARG RECUSE_COMMIT=""
ARG RECUSE_COMMIT_DATE=""
RUN RECUSE_COMMIT="${RECUSE_COMMIT}" RECUSE_COMMIT_DATE="${RECUSE_COMMIT_DATE}" \
    cargo build --release --locked --package recuse --bin recuse

FROM debian:bookworm-slim
ARG VERSION=0.1.0
ARG RECUSE_COMMIT=""
LABEL org.opencontainers.image.title="recuse" \
      org.opencontainers.image.description="An independent reviewer of pull requests" \
      org.opencontainers.image.source="https://github.com/recuse/recuse" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${RECUSE_COMMIT}"
# git reads objects; certificates are for providers and GitHub; one of the parsers is C++. Their versions are the release's,
# which is fixed.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 recuse \
    && useradd --no-log-init --uid 10001 --gid recuse --home-dir /var/lib/recuse --create-home --shell /usr/sbin/nologin recuse
COPY --from=build /build/target/release/recuse /usr/local/bin/recuse
USER 10001:10001
WORKDIR /var/lib/recuse
ENV HOME=/var/lib/recuse \
    RECUSE_LISTEN=0.0.0.0:8080
VOLUME /var/lib/recuse
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["recuse"]
CMD ["serve"]
