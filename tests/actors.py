"""Who calls the API in the tests, and what they have.

Made with the models and the codec, not through the API: a test of one
resource needs none of the others to work, and no password is hashed twice.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, update

from ar_targets import clock
from ar_targets.auth import passwords
from ar_targets.db.session import transaction_scope
from ar_targets.images import jpeg
from ar_targets.models import (
    Analysis,
    analysis,
    member,
    membership,
    project,
    soft_delete,
    target,
    token,
    user,
)
from ar_targets.models.noun import SoftDeletable

from . import tables
from .pictures import CHINA, HEATMAP

PASSWORD = "correct horse battery"


@functools.cache
def password_hash() -> str:
    """The hash of PASSWORD: what takes longest, done once."""
    return passwords.hash_password(PASSWORD)


@dataclass(frozen=True)
class Actor:
    """Somebody with a token."""

    token: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class User(Actor):
    id: int
    login: str

    @property
    def path(self) -> str:
        return f"/api/user/{self.id}"


@dataclass(frozen=True)
class Project:
    id: int
    name: str

    @property
    def path(self) -> str:
        return f"/api/project/{self.id}"

    @property
    def tokens(self) -> str:
        return f"{self.path}/jwt"

    @property
    def members(self) -> str:
        return f"{self.path}/member"

    @property
    def targets(self) -> str:
        return f"{self.path}/imagetarget"


@dataclass(frozen=True)
class App(Actor):
    """The holder of a project token."""

    id: int
    path: str


@dataclass(frozen=True)
class Target:
    id: int
    path: str

    @property
    def image(self) -> str:
        return f"{self.path}/image"


class Stage:
    """Where actors come from: the database and the keys of an application."""

    def __init__(self, registry: Any) -> None:
        self.engine = registry.engine
        self.codec = registry.codec

    def user(self, login: str, *, is_admin: bool = False) -> User:
        """A user whose password is PASSWORD, logged in."""
        with transaction_scope(self.engine) as db:
            record = user.create(db, login, password_hash(), is_admin=is_admin)
        return User(self.login_token(record.id), record.id, login)

    def login_token(self, user_id: int, *, version: int = 1, seconds: int = 600) -> str:
        """A user token; an expired one for negative ``seconds``."""
        return self.codec.login_token(user_id, version, timedelta(seconds=seconds))[0]

    def project(self, owner: User, name: str) -> Project:
        with transaction_scope(self.engine) as db:
            return Project(project.create(db, owner.id, name).id, name)

    def member(self, of: Project, login: str, role: str) -> User:
        """A new user, with whom a project is shared."""
        made = self.user(login)
        self.share(of, made, role)
        return made

    def share(self, of: Project, with_whom: User, role: str) -> None:
        """Make a user a member of a project."""
        with transaction_scope(self.engine) as db:
            membership.create(db, of.id, user.find(db, with_whom.id), role)

    def unshare(self, of: Project, with_whom: User) -> None:
        """End a membership."""
        with transaction_scope(self.engine) as db:
            membership.end(db, member.find(db, of.id, with_whom.id))

    def app(
        self, of: Project, access: str = "write", ttl: int = 600, by: User | None = None
    ) -> App:
        """A project token's holder; ``by`` is the member who made it, if not the owner."""
        with transaction_scope(self.engine) as db:
            record = token.create(db, of.id, ttl, access, "", created_by=by and by.id)
        return App(self.codec.project_token(record), record.id, f"{of.tokens}/{record.id}")

    def target(
        self, of: Project, data: bytes = CHINA, description: str = "", **fields: Any
    ) -> Target:
        given = {"image": jpeg.prove(data, 10**6), "description": description, **fields}
        with transaction_scope(self.engine) as db:
            record = target.create(db, of.id, given)
        return Target(record.id, f"{of.targets}/{record.id}")

    def analyse(self, made: Target, status: str = "done", **values: Any) -> None:
        """Store what a worker would find out about a target."""
        given = {"trackability": 75, "rating": 4, "features": 500, "heatmap": HEATMAP}
        given |= {"problems": "[]"} if status == "done" else dict.fromkeys(given)
        lease = "0" * 32
        with transaction_scope(self.engine) as db:
            of = Analysis.target_id == made.id
            db.write(update(Analysis).where(of).values(lease=lease))
            assert analysis.finish(db, made.id, lease, given | values | {"status": status})

    def resemble(self, made: Target, others: Mapping[Target, float]) -> None:
        """Store what a target resembles, and how much, in place of what was stored."""
        pairs, values = tables.similarity, {other.id: value for other, value in others.items()}
        ways = [(made.id, other) for other in values] + [(other, made.id) for other in values]
        rows = [
            {"target_id": one, "other_id": other, "value": values.get(one, values.get(other))}
            for one, other in ways
        ]
        with self.engine.begin() as connection:
            connection.execute(
                pairs.delete().where(or_(pairs.c.target_id == made.id, pairs.c.other_id == made.id))
            )
            connection.execute(pairs.insert(), rows)

    def delete(self, noun: type[SoftDeletable], row_id: int) -> None:
        """Soft-delete a row."""
        with transaction_scope(self.engine) as db:
            soft_delete.delete(db, noun, row_id)

    def unproven(self, of: Project, data: bytes, width: int = 7000, height: int = 7000) -> Target:
        """A target whose image was stored before there was a rule that would refuse it now."""
        taken = jpeg.Jpeg(data, width, height, hashlib.sha256(data).hexdigest())
        with transaction_scope(self.engine) as db:
            record = target.create(db, of.id, {"image": taken})
        return Target(record.id, f"{of.targets}/{record.id}")

    def revoke(self, app: App) -> None:
        with transaction_scope(self.engine) as db:
            token.revoke(db, app.id)

    def expire(self, app: App) -> None:
        """Let a project token's time be over."""
        row = tables.token
        past = clock.now() - timedelta(seconds=1)
        with transaction_scope(self.engine) as db:
            db.write(update(row).where(row.c.id == app.id).values(expires_at=past))

    def rows(self, table: Any, *conditions: Any) -> list[dict[str, Any]]:
        """What is committed, the deleted rows included."""
        with self.engine.connect() as connection:
            found = connection.execute(table.select().where(*conditions))
            return [dict(row) for row in found.mappings()]
