#!/bin/sh
# With DOMAIN: has nginx try again to obtain a first certificate, three times an hour until
# it is there; by itself the ACME module tries again after a day. The authority allows five
# failures an hour. nginx's image runs this before nginx; it goes on beside it.
set -eu
[ -n "${DOMAIN:-}" ] || exit 0
(
    while sleep "${1:-1200}"; do
        for file in /var/lib/acme/state/"${DOMAIN%% *}"-*.crt; do
            [ ! -e "$file" ] || exit 0
        done
        nginx -s reload
    done
) >/dev/null 2>&1 &
