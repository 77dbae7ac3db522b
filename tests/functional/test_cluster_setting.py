"""The setting for a database that is a cluster: each session of the pools has its variable."""

import pytest

from ar_targets.db.engine import server_variable
from ar_targets.settings import SettingsError


def is_mariadb(app):
    with app.registry.engine.connect() as connection:
        return connection.dialect.is_mariadb


def test_each_session_waits_for_what_other_nodes_have_committed(make_app, app):
    if not is_mariadb(app):
        with pytest.raises(SettingsError, match=r"database_cluster: .*'galera'"):
            make_app(database_cluster="galera")
        return
    clustered = make_app(database_cluster="galera")
    for engine in (clustered.registry.engine, clustered.registry.read_engine):
        assert server_variable(engine, "wsrep_sync_wait") == 7
    for engine in (app.registry.engine, app.registry.read_engine):
        assert server_variable(engine, "wsrep_sync_wait") == 0


def test_group_replication(make_app, app):
    """MySQL has the variable whether the server is in a group or not; MariaDB does not know it."""
    if not is_mariadb(app):
        grouped = make_app(database_cluster="group_replication")
        for engine in (grouped.registry.engine, grouped.registry.read_engine):
            assert server_variable(engine, "group_replication_consistency") == "BEFORE"
        return
    with pytest.raises(SettingsError, match=r"database_cluster: .*'group_replication'"):
        make_app(database_cluster="group_replication")
