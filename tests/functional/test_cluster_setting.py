"""The setting for a database that is a cluster: each session of the pools has its variable."""

import pytest
from sqlalchemy import text

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


def test_a_server_of_another_kind_is_told_at_the_start(make_app, app):
    """Group Replication is a plugin of MySQL's, which is not loaded."""
    with app.registry.engine.connect() as connection:
        loaded = connection.execute(
            text("SHOW VARIABLES LIKE 'group_replication_consistency'")
        ).first()
    assert loaded is None
    with pytest.raises(SettingsError, match=r"database_cluster: .*'group_replication'"):
        make_app(database_cluster="group_replication")
