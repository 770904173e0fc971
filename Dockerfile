# The image: an interpreter, the libraries of image/requirements.txt and the server, and nothing else; no shell, no
# package manager. docs/image.md says how it is built, run and renewed.

# A Debian with Python 3.11 or newer. Name it by its digest for a build that can be repeated.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
# Seconds since 1970: the time of every file in the image.
ARG SOURCE_DATE_EPOCH=0
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libcap2-bin python3-venv
RUN python3 -m venv /tools
COPY image/requirements.txt /source/requirements.txt
# Wheels only: no compiler is there, and none is needed.
RUN /tools/bin/pip install --quiet --no-cache-dir --no-compile --no-deps --only-binary :all: --require-hashes \
    --target /libraries --requirement /source/requirements.txt
COPY image/assemble.py /source/assemble.py
COPY dnsserver /source/dnsserver
RUN PYTHONHASHSEED=0 python3 /source/assemble.py /libraries /source/dnsserver /image
# Permitted, and not effective: a program with an effective capability does not start where its container may not have
# it. The server makes it effective when it has it (dnsserver/runtime/privileges.py).
RUN setcap cap_net_bind_service,cap_net_admin=+p "$(readlink -f /image/usr/bin/python3)"

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="dnsserver" \
      org.opencontainers.image.description="Cluster DNS server for Kubernetes service discovery" \
      org.opencontainers.image.documentation="docs/image.md" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
# A number, so that runAsNonRoot can be checked; the user "nonroot" that CoreDNS's image has.
USER 65532:65532
WORKDIR /
EXPOSE 53/tcp 53/udp 9153/tcp
ENTRYPOINT ["/usr/bin/dnsserver"]
