# The service, its pages and its verified models: `docker build .`, or `make image`, which adds version
# and revision. Wants BuildKit: Docker 23 has it, 20.10 with DOCKER_BUILDKIT=1. No `# syntax` line: what
# that version and buildah know is enough, and a registry is not asked for more.
ARG BASE=python:3.11.16-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84

FROM ${BASE} AS pip
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
# ca_bundle: `--secret id=ca_bundle,src=FILE` where TLS goes through an authority of one's own.
SHELL ["/bin/sh", "-euc"]

# The pinned models, from the DVC remote that lies in the repository; DVC checks their hashes.
FROM pip AS models
COPY requirements/run.lock /tmp/
RUN --mount=type=secret,id=ca_bundle --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/secrets/ca_bundle ]; then export PIP_CERT=/run/secrets/ca_bundle; fi; \
    python3 -m venv /opt/dvc; \
    /opt/dvc/bin/pip install --quiet --require-hashes --requirement /tmp/run.lock
WORKDIR /src
COPY .dvc/config .dvc/config
COPY dvc.yaml dvc.lock params.yaml ./
COPY bundled bundled
ENV DVC_NO_ANALYTICS=1
RUN /opt/dvc/bin/dvc config --quiet core.no_scm true; \
    /opt/dvc/bin/dvc pull --quiet --remote bundled publish

# What the service imports, in the interpreter's own file system. Bytecode is kept of what is imported
# at a start, and of nothing else: it would be a sixth of the image.
FROM pip AS packages
COPY requirements/service.lock /tmp/
RUN --mount=type=secret,id=ca_bundle --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/secrets/ca_bundle ]; then export PIP_CERT=/run/secrets/ca_bundle; fi; \
    python3 -m venv /opt/venv; \
    /opt/venv/bin/pip install --quiet --no-compile --require-hashes --requirement /tmp/service.lock; \
    printf '#!/opt/venv/bin/python\nfrom app.cli import main\nmain()\n' >/opt/venv/bin/beatwise; \
    chmod +x /opt/venv/bin/beatwise
# Debug symbols are 30 MB, most of them of uvloop. Libraries in *.libs were rewritten by what packed the
# wheel, and stripping breaks some of those.
# hadolint ignore=DL3008
RUN apt-get update -qq; \
    apt-get install -qq --no-install-recommends binutils >/dev/null; \
    find /opt/venv -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} +
COPY deploy/image_root.py /tmp/
RUN --mount=type=bind,source=app,target=/src/app --mount=type=bind,source=ecg,target=/src/ecg \
    --mount=type=bind,source=web,target=/src/web \
    find / -xdev -name '*.pyc' -delete; \
    PYTHONPATH=/src /opt/venv/bin/python -c 'import app.__main__ as m, app.cli, app.fetch, app.probe, s3fs, upath; m.create_app(m.Settings())'; \
    python3 /tmp/image_root.py /image /opt/venv

FROM pip AS code
WORKDIR /srv/beatwise
COPY web web
COPY ecg ecg
COPY app app
COPY LICENSE ./
RUN python3 -m compileall -q app ecg; \
    chmod -R a+rX .

FROM scratch
COPY --from=packages /image /
COPY --from=models /src/models /srv/beatwise/models
COPY --from=code /srv/beatwise /srv/beatwise
WORKDIR /srv/beatwise
USER 65532:65532
# One thread a pool: one beat wants no more, and each thread holds memory of its own.
ENV PATH=/opt/venv/bin \
    PYTHONPATH=/srv/beatwise \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    OPENBLAS_NUM_THREADS=1 \
    ORT_DISABLE_TELEMETRY=1 \
    FASTAPI_OTEL_AUTO_CONFIGURE=false \
    BEATWISE_HOST=0.0.0.0 \
    BEATWISE_PORT=8000
# The models of this commit, as `beatwise models` tells them; another set fails the build here.
ARG MODELS_REVISION=sha256:cc8639440d4a89c9e30fc9a273d2a3466f3c2fcdb0c3798914a7c0137b8e9883
RUN ["beatwise", "models"]
ENV BEATWISE_MODELS=models@${MODELS_REVISION}
ARG VERSION=unknown
ARG GIT_REVISION=unknown
LABEL org.opencontainers.image.title="Beatwise" \
      org.opencontainers.image.description="Reads an ECG, classifies its heartbeats. Research and education, not a medical device." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${GIT_REVISION}" \
      beatwise.models.revision="${MODELS_REVISION}"
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=3 CMD ["python", "-m", "app.probe"]
CMD ["python", "-m", "app"]
