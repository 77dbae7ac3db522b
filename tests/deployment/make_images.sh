#!/bin/bash
# Makes stand-ins for the base images, under their names, where no registry can be reached:
# from Debian's packages. Needs root, podman, debootstrap, and a mirror of Debian.
#
#   tests/deployment/make_images.sh [FOLDER]
#
# What they stand for: python:3.14-slim-trixie (Debian's Python, which is 3.13), nginx:1.30
# (the nginx of Debian sid), mysql:8.4 (the MySQL of Debian sid, which is newer).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
registry=docker.io/library

for program in podman debootstrap; do
    command -v "$program" >/dev/null || { echo "install $program" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "run it as root" >&2; exit 1; }

tree() { # tree NAME SUITE PACKAGE…: a file system with these packages
    local target=$work/$1 suite=$2
    shift 2
    [ -e "$target.done" ] && return
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$target" "$mirror"
    cp /etc/resolv.conf "$target/etc/resolv.conf"
    # The host's authorities, with which builds reach a package index through a proxy.
    cp /etc/ssl/certs/ca-certificates.crt "$target/etc/ssl/certs/host.crt"
    chroot "$target" apt-get -q -o Acquire::Check-Valid-Until=false update
    chroot "$target" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qy --no-install-recommends "$@"
    chroot "$target" apt-get clean
    rm -rf "$target"/var/lib/apt/lists/*
    touch "$target.done"
}

image() { # image NAME TREE CHANGE…: the tree as an image, with Dockerfile instructions
    local name=$1 source=$work/$2 changes=()
    shift 2
    for change in "$@"; do changes+=(--change "$change"); done
    tar -C "$source" -c . | podman import -q "${changes[@]}" - "$registry/$name"
}

tree python trixie python3 python3-venv libpython3-dev
ln -sf /usr/bin/python3 "$work/python/usr/local/bin/python3"
rm -f "$work"/python/usr/lib/python3*/EXTERNALLY-MANAGED
image python:3.14-slim-trixie python \
    'ENV PIP_CERT=/etc/ssl/certs/host.crt' \
    'CMD ["python3"]'

# Without the module that obtains certificates, which Debian does not have.
tree nginx sid nginx passwd
chroot "$work/nginx" getent passwd nginx >/dev/null ||
    chroot "$work/nginx" useradd --uid 101 --no-create-home --home-dir /nonexistent nginx
install -d "$work/nginx/var/cache/nginx" "$work/nginx/docker-entrypoint.d"
install -m 0755 "$here/nginx_entrypoint.sh" "$work/nginx/docker-entrypoint.sh"
image nginx:1.30 nginx \
    'ENTRYPOINT ["/docker-entrypoint.sh"]' \
    'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin' \
    'STOPSIGNAL SIGQUIT' \
    'CMD ["nginx", "-g", "daemon off;"]'

tree mysql sid mysql-server-core mysql-client-core passwd util-linux
chroot "$work/mysql" getent passwd mysql >/dev/null ||
    chroot "$work/mysql" useradd --uid 999 --no-create-home --home-dir /var/lib/mysql mysql
install -d -o 999 "$work/mysql/var/lib/mysql" "$work/mysql/var/lib/mysql-files"
install -m 0755 "$here/mysql_entrypoint.sh" "$work/mysql/usr/local/bin/docker-entrypoint.sh"
image mysql:8.4 mysql \
    'ENTRYPOINT ["docker-entrypoint.sh"]' \
    'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'VOLUME /var/lib/mysql' \
    'CMD []'
