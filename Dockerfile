# The container image: the program alone on a base without a shell, run by an unprivileged user.
# A registry mirror or an air-gapped build names other images:
#   docker build --build-arg RUST_IMAGE=… --build-arg BASE_IMAGE=… .
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-bookworm
# glibc, libgcc and ca-certificates (TLS asks the platform for its roots), and nothing to log in with.
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# The checked queries are compiled from .sqlx: building needs no database.
ENV SQLX_OFFLINE=true CARGO_INCREMENTAL=0 CARGO_TERM_PROGRESS_WHEN=never

# The dependencies have a layer of their own, which stands until a manifest changes. An empty program is all they need.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && printf '//! Empty.\nfn main() {}\n' > src/main.rs \
    && echo '//! Empty.' > src/lib.rs \
    && cargo build --locked --profile dist --no-default-features --bin meeting-provisioner \
    && rm -r src

# .dockerignore lets in what the program is made of and nothing else. Copied files keep their age, which is that of a
# check-out and may be older than the empty program: touched, the two roots are compiled again.
COPY . .
# Nothing that only serves to try it is in the image, unless it is asked for: FEATURES=demo adds the Graph simulator
# and the commands `demo` and `simulate-graph`, as deploy/compose.yaml does.
ARG FEATURES=
RUN touch src/main.rs src/lib.rs \
    && cargo build --locked --profile dist --no-default-features --features "${FEATURES}" --bin meeting-provisioner

FROM ${BASE_IMAGE}
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="meeting-provisioner" \
      org.opencontainers.image.description="One booking, one Microsoft Teams meeting, a complete history." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /build/target/dist/meeting-provisioner /usr/local/bin/meeting-provisioner
# A container's loopback can't be reached from outside: both ports listen on every address.
ENV MEETING_PROVISIONER__HTTP__ADDRESS=0.0.0.0:8080 \
    MEETING_PROVISIONER__HTTP__ADMIN_ADDRESS=0.0.0.0:9090
# By number, so that Kubernetes can see that it is not root. It is `nonroot` in the base.
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/usr/local/bin/meeting-provisioner"]
CMD ["serve"]
