# One image for the API (the default command), the migrations and the cleanup:
#   docker build -t ar_targets .
# and one that has the database's own tools as well, for backups:
#   docker build --target backup -t ar_targets-backup .
# Secrets and settings come by the environment and by files; README.md, "Settings".

# Python's minor version and Debian's release are fixed, their security updates are
# not; to fix these too, give a digest: --build-arg PYTHON=3.14-slim-trixie@sha256:…
ARG PYTHON=3.14-slim-trixie

# The libraries, at the versions of the lock file. Rebuilt when that changes.
FROM python:${PYTHON} AS libraries
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev libmariadb-dev \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/build \
 && python3 -m venv --without-pip /opt/ar_targets
COPY requirements-production.lock /src/
# Wheels, but for the driver, which is compiled against Debian's library.
RUN /opt/build/bin/pip --python /opt/ar_targets install --require-virtualenv \
        --only-binary :all: --no-binary mariadb -r /src/requirements-production.lock

# The package, in a tree of its own. Rebuilt, in seconds, when the code changes.
FROM libraries AS package
COPY setup.py pyproject.toml README.md LICENSE development.ini production.ini /src/
COPY alembic /src/alembic
COPY ar_targets /src/ar_targets
RUN /opt/build/bin/pip --python /opt/ar_targets install --root /package --no-deps \
        --no-build-isolation --no-warn-script-location /src

FROM python:${PYTHON} AS server
# What the driver is linked to.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/*
# Numbers, since an orchestrator that forbids root cannot look a name up. The
# folders lend their owner to the volumes that are mounted there.
RUN groupadd --gid 10001 ar_targets \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin ar_targets \
 && install -d -o ar_targets -g ar_targets -m 0700 /var/lib/ar_targets/secrets \
 && install -d -o ar_targets -g ar_targets -m 0755 /var/lib/ar_targets/database \
 && install -d -o ar_targets -g ar_targets -m 0700 /var/lib/ar_targets/backup
COPY --from=libraries /opt/ar_targets /opt/ar_targets
COPY --from=package /package/ /
ENV PATH=/opt/ar_targets/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/ar_targets
# The package has the migrations too.
RUN ["ar_targets_init", "."]
USER 10001:10001
EXPOSE 6543
# Whether the process answers; a database that is away is no reason to restart it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:6543/health/live', timeout=4)"]
# Requests that have begun are answered before it ends: give it 35 seconds.
STOPSIGNAL SIGTERM
CMD ["pserve", "production.ini"]
# Last, since what changes here builds all below it anew.
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ar_targets" \
      org.opencontainers.image.description="A self-hosted server for the projects and image targets of AR applications" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# With what dumps and loads the compose file's database: MySQL needs its own tools, which Debian
# does not have. Built only where it is asked for.
FROM server AS backup
USER root
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libstdc++6 libtinfo6 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=mysql:8.4 /usr/bin/mysqldump /usr/bin/mysql /usr/local/bin/
# A library that they lack shall end the build, and not the first backup.
RUN mysqldump --version && mysql --version
USER 10001:10001

# The image without them.
FROM server
