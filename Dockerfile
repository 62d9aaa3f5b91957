# syntax=docker/dockerfile:1

# The builder: everything is installed into one virtual environment, which is all that the image takes over.
FROM python:3.12-slim AS builder

# Where pip looks besides its default, for example an index of your own: docker build --build-arg
# PIP_EXTRA_INDEX_URL=... No layer of the image keeps it.
ARG PIP_EXTRA_INDEX_URL=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

RUN python -m venv /opt/hmar
WORKDIR /build

# Dependencies change seldom: a layer of their own, made from the two files that name them.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
        > requirements.txt \
    && /opt/hmar/bin/pip install -c constraints.txt -r requirements.txt

COPY LICENSE README.md ./
COPY models models
COPY benchmark benchmark
COPY hmar hmar
COPY service service
COPY workers workers
RUN /opt/hmar/bin/pip install -c constraints.txt .


FROM python:3.12-slim

RUN useradd --system --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin hmar \
    && install --directory --owner hmar --group hmar --mode 0700 /data
COPY --from=builder /opt/hmar /opt/hmar

ENV PATH=/opt/hmar/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HMAR_HOME=/data \
    HMAR_HOST=0.0.0.0 \
    HMAR_PORT=8080

USER hmar
WORKDIR /data
VOLUME /data
EXPOSE 8080

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"HMAR_PORT\"]}/healthz', timeout=4)"]

# Broker, worker and web server under one supervisor; docker-compose.yml runs each in a container of its own.
CMD ["hmar", "serve"]
