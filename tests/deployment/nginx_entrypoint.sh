#!/bin/sh
# Does what our compose file needs of the official nginx image's entrypoint.
set -e
for script in /docker-entrypoint.d/*.sh; do
    "$script"
done
exec "$@"
