# A static icebox, without the GPU and graph engines, for a user who is not root:
#
#   docker build -t icebox .
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" icebox run --data photos
FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags nocuda,nograph -ldflags "-s -w -X main.version=${VERSION}" -o /icebox ./cmd/icebox

# This base has the certificates that a download of weights needs, and a /tmp.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /icebox /usr/local/bin/icebox
# Weights that are fetched go into the mounted folder, where the next container finds them.
ENV HOME=/work
WORKDIR /work
# SageMaker starts the image with the one argument `serve`, and puts what it unpacked of
# model.tar.gz below /opt/ml/model; Vertex AI and KServe do much the same. So `serve` serves that
# folder, to everybody who reaches the container: its network decides who does. Flags override
# these (`serve --run latest --token-file …`).
ENV ICEBOX_SERVE_RUN=/opt/ml/model ICEBOX_SERVE_HOST=0.0.0.0 ICEBOX_SERVE_INSECURE=1
EXPOSE 8080
ENTRYPOINT ["icebox"]
