"""What the panel's dashboard asks of the database: by an index each, or by a covering one."""

import pytest
from sqlalchemy import text

from ..panel import Panel
from .test_queries import EXPLAIN, crowd, statements

__all__ = ["crowd", "statements"]

TABLES = ("user", "project", "target", "token", "member", "request_count", "audit")


@pytest.fixture
def asked(app, crowd, administrator, owner, statements):
    """What the dashboard of a login asks; most rows are a stranger's."""
    with app.registry.engine.begin() as connection:
        for table in ("user", "project", "target", "token"):
            connection.execute(text(f"ANALYZE TABLE `{table}`")).all()

    def ask(login: str):
        panel = Panel(app.app)
        panel.log_in(login)
        statements.clear()
        panel.get("/admin/")
        return statements[:]

    return ask


@pytest.mark.parametrize("login", ["ada", "olga"])
def test_no_row_is_read_only_to_be_counted(app, asked, login):
    """Nothing smaller tells a number or a sum of all rows than an entry of an index for each.

    Of so few tokens MariaDB may read all to find those in a user's sight; of a million it does not.
    """
    sent = asked(login)
    assert 8 <= len(sent) <= 21
    for statement, parameters in sent:
        assert "target.image" not in statement
        with app.registry.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"{EXPLAIN} {statement}", parameters).mappings()
            for step in plan.all():
                if step["table"] in TABLES and "tokens_in_sight" not in statement:
                    assert step["type"] != "ALL", (statement, dict(step))
                    whole = step["type"] == "index"
                    assert not whole or "Using index" in step["Extra"], (statement, dict(step))


def test_of_few_projects_no_other_target_is_read(app, asked):
    sums = [sent for sent in asked("olga") if "sum(target.size)" in sent[0]]
    assert len(sums) == 2
    for statement, parameters in sums:
        with app.registry.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"{EXPLAIN} {statement}", parameters).mappings()
            (step,) = [step for step in plan.all() if step["table"] == "target"]
        assert step["type"] == "ref", dict(step)
        assert "Using index" in step["Extra"]
