# syntax=docker/dockerfile:1

# The compiler, by its exact version. With a digest beside it nobody can change what the
# name leads to: --build-arg GO_IMAGE=golang:1.26.8-bookworm@sha256:…
ARG GO_IMAGE=golang:1.26.8-bookworm

# The build runs on the builder's own architecture and compiles for the target's.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags="-s -w" -o /rootfs/badge-engine ./app
# All else there is: the authorities that certificates are known by, the user nonroot,
# a folder for everybody, and one for the data. A new volume takes over its owner.
RUN mkdir -p /rootfs/etc/ssl/certs /rootfs/tmp /rootfs/data && \
    cp /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ && \
    echo 'nonroot:x:65532:65532::/:/sbin/nologin' > /rootfs/etc/passwd && \
    echo 'nonroot:x:65532:' > /rootfs/etc/group && \
    chmod 1777 /rootfs/tmp && chmod 0700 /rootfs/data && chown 65532:65532 /rootfs/data

# No base: no shell and no package manager, and nothing to be kept up to date but this.
FROM scratch
COPY --from=build /rootfs/ /
ENV DATABASE_URL=sqlite:/data/badge-engine.db \
    KEY_ENCRYPTION_KEY_FILE=/data/key-encryption.key
WORKDIR /
USER 65532:65532
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["/badge-engine", "healthcheck"]
ENTRYPOINT ["/badge-engine"]
CMD ["serve"]
