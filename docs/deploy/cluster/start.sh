#!/bin/sh
# Starts a node of docker-compose.yaml, in the place of its image's entrypoint.
#
# A cluster begins with one node, which is told so (--wsrep-new-cluster): at the very first start
# the one with FOUNDS=yes, later the one that Galera says was the last to go. The volume at
# /cluster remembers the first start, so that a node whose data is lost does not found a second.
#
# A node that was killed must look up which write was its last (--wsrep-recover): then it gets
# only what it missed. Debian's systemd unit does this by galera_recovery.
set -eu
data=${DATA:-/var/lib/mysql}
cluster=${CLUSTER:-/cluster}
if [ "${FOUNDS:-}" = yes ] && [ ! -e "$cluster/founded" ]; then
    touch "$cluster/founded"
    set -- "$@" --wsrep-new-cluster
elif [ -e "$data/grastate.dat" ]; then
    # Without InnoDB's purge (2): MariaDB's never ends here where indexes have virtual columns.
    position=$("$@" --wsrep-recover --innodb-force-recovery=2 2>&1 |
        sed -n 's/.*WSREP: Recovered position: *//p')
    set -- "$@" ${position:+"--wsrep-start-position=$position"}
    if grep -q '^safe_to_bootstrap: 1' "$data/grastate.dat"; then
        set -- "$@" --wsrep-new-cluster
    fi
fi
exec docker-entrypoint.sh "$@"
