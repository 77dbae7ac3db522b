#!/bin/bash
# The stand-in image's entry point: as much of the official mysql image's as our compose file uses.
set -euo pipefail
data=/var/lib/mysql

if [ "$(id -u)" = 0 ]; then
    mkdir -p /run/mysqld
    chown mysql:mysql "$data" /run/mysqld
    exec setpriv --reuid mysql --regid mysql --init-groups "$0" "$@"
fi

if [ ! -d "$data/mysql" ]; then
    root=$(<"$MYSQL_ROOT_PASSWORD_FILE")
    user=$(<"$MYSQL_PASSWORD_FILE")
    mysqld --initialize-insecure --datadir="$data"
    cat >/tmp/init.sql <<SQL
ALTER USER root@localhost IDENTIFIED BY '$root';
CREATE DATABASE \`$MYSQL_DATABASE\`;
CREATE USER \`$MYSQL_USER\`@'%' IDENTIFIED BY '$user';
GRANT ALL ON \`$MYSQL_DATABASE\`.* TO \`$MYSQL_USER\`@'%';
SQL
    # As the official image, it answers nobody on the network before it is set up.
    mysqld --datadir="$data" --skip-networking --socket=/tmp/init.sock "$@" &
    server=$!
    until mysqladmin --socket=/tmp/init.sock --user=root ping >/dev/null 2>&1; do
        kill -0 "$server"
        sleep 0.5
    done
    mysql --socket=/tmp/init.sock --user=root </tmp/init.sql
    rm /tmp/init.sql
    kill "$server"
    wait "$server" || true
fi
exec mysqld --datadir="$data" "$@"
