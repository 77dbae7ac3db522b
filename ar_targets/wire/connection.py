"""The driver's connection, as `ar_targets.engine` makes them."""

from pymysql.connections import Connection

from . import pipeline
from .pipeline import Step

COMMIT = Step("COMMIT")


class QuickConnection(Connection):
    """PyMySQL's, which SQLAlchemy has end a transaction."""

    def commit(self) -> None:
        """Commit, without the driver's detours; it would block others, too. Raises its errors."""
        pipeline.execute(self, [COMMIT])
