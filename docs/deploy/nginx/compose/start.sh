#!/bin/sh
# Writes what depends on .env and on the network; nginx's image runs it before nginx.
#
#   start.sh [FOLDER]      reads DOMAIN and ACME_DIRECTORY
set -eu
into=${1:-/run/ar_targets}
here=$(dirname "$(readlink -f "$0")")
[ -e "$here/https.conf" ] || here=/etc/nginx/compose
domain=${DOMAIN:-}
directory=${ACME_DIRECTORY:-https://acme-v02.api.letsencrypt.org/directory}

# They become part of nginx's configuration.
case $domain in *[!A-Za-z0-9.\ -]*)
    echo "DOMAIN must be a name like ar.example.org, or several with spaces between" >&2
    exit 1 ;;
esac
case $directory in *[!A-Za-z0-9.:/_-]*)
    echo "ACME_DIRECTORY must be an address like https://acme.example.org/directory" >&2
    exit 1 ;;
esac

mkdir -p "$into"
rm -f "$into"/*

# The engine's name server, which knows the replicas: nginx itself does not read that file.
# No IPv6: the application listens on IPv4 alone.
servers=$(awk '$1 == "nameserver" { print $2 ~ /:/ ? "[" $2 "]" : $2 }' /etc/resolv.conf | tr '\n' ' ')
echo "resolver ${servers}valid=1s ipv6=off;" > "$into/resolver.conf"

if [ -n "$domain" ]; then
    echo 'load_module modules/ngx_http_acme_module.so;' > "$into/main.acme"
    sed -e "s|@DOMAIN@|$domain|" -e "s|@ACME_DIRECTORY@|$directory|" \
        "$here/https.conf" > "$into/https.conf"
else
    cp "$here/http.conf" "$into/http.conf"
fi
