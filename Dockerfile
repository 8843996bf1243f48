# syntax=docker/dockerfile:1

# The build runs on the builder's own architecture and compiles for the target's.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags="-s -w" -o /out/badge-engine ./app
RUN mkdir /out/data

# No shell, no package manager: certificates, an empty /tmp and the user nonroot (65532).
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/badge-engine /badge-engine
# A new volume takes over the owner of the folder it covers.
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
ENV DATABASE_URL=sqlite:/data/badge-engine.db \
    KEY_ENCRYPTION_KEY_FILE=/data/key-encryption.key
WORKDIR /
USER 65532:65532
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["/badge-engine", "healthcheck"]
ENTRYPOINT ["/badge-engine"]
CMD ["serve"]
