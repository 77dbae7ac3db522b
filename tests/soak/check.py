"""What must be true when all is over: over HTTP, in SQL, and of the order of answers."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Engine, text

from .caller import Caller
from .history import Entry, Known, Thing, lineage, things

# A row's columns that tell which thing it is, and what its values are.
ROWS = {
    "user": "SELECT id, login AS mark, NULL AS parent, revision, deleted_at FROM user",
    "project": (
        "SELECT id, name AS mark, owner_id AS parent, name AS value, revision, deleted_at "
        "FROM project WHERE name NOT LIKE 'rival-%%'"
    ),
    "token": (
        "SELECT id, description AS mark, project_id AS parent, ttl AS value, revision, "
        "revoked_at AS deleted_at FROM token"
    ),
    "target": (
        "SELECT id, description AS mark, project_id AS parent, description, sha256, revision, "
        "deleted_at FROM target"
    ),
}

# What no row may ever show: each finds nothing.
INVARIANTS = {
    "an image that is not what its checksum says": (
        "SELECT id FROM target "
        "WHERE sha256 <> CONVERT(SHA2(image, 256) USING ascii) OR size <> LENGTH(image)"
    ),
    "two live users of one login": (
        "SELECT login_key FROM user WHERE deleted_at IS NULL GROUP BY login_key HAVING COUNT(*) > 1"
    ),
    "two live projects of one name": (
        "SELECT name_key FROM project WHERE deleted_at IS NULL "
        "GROUP BY name_key HAVING COUNT(*) > 1"
    ),
    "a live project of a deleted user": (
        "SELECT project.id FROM project JOIN user ON user.id = owner_id "
        "WHERE project.deleted_at IS NULL AND user.deleted_at IS NOT NULL"
    ),
    "a project that went with an owner who is there": (
        "SELECT project.id FROM project JOIN user ON user.id = owner_id "
        "WHERE deleted_with_owner AND user.deleted_at IS NULL"
    ),
    "a change without its entry in the audit trail, or the other way round": (
        "SELECT target.id FROM target "
        "LEFT JOIN audit ON audit.noun = 'target' AND audit.row_id = target.id "
        "GROUP BY target.id, target.revision HAVING target.revision <> COUNT(audit.id)"
    ),
    "a project without a user": (
        "SELECT id FROM project WHERE owner_id NOT IN (SELECT id FROM user)"
    ),
    "a token without a project": (
        "SELECT id FROM token WHERE project_id NOT IN (SELECT id FROM project)"
    ),
    "a target without a project": (
        "SELECT id FROM target WHERE project_id NOT IN (SELECT id FROM project)"
    ),
}


def wrong_order(entries: Iterable[Entry]) -> Iterator[str]:
    """Credentials that did something after their end had been acknowledged."""
    entries = list(entries)
    known = things(entries)
    ends: dict[str, float] = {}
    for entry in entries:
        if entry.caller not in known or entry.happened is not Known.YES:
            continue
        if entry.caller not in ends:
            ends[entry.caller] = min(thing.ended for thing in lineage(known, entry.caller))
        if entry.sent > ends[entry.caller]:
            yield f"{entry.act} {entry.kind} {entry.mark} by {entry.caller}, which had ended"


def is_sound(line: str) -> bool:
    """Whether a line of CHECK TABLE's tells of nothing wrong.

    After a crash, MariaDB may keep an entry in the index of a virtual column whose row has
    been purged. It is marked as deleted (32 in its info bits), so that nobody finds it.
    """
    left_over = line.startswith("InnoDB: Clustered index record not found for index")
    return line == "OK" or (left_over and "(info_bits=32," in line)


class Ledger:
    """The things that clients know of, held against rows and answers."""

    def __init__(self, entries: Iterable[Entry], aside: set[tuple[str, int]]) -> None:
        self.things = things(entries)
        # Rows that are checked elsewhere.
        self._aside = aside
        self._by_row = {
            (thing.kind, thing.row): thing for thing in self.things.values() if thing.row
        }
        self._found: dict[str, int] = {}

    def state(self, thing: Thing) -> tuple[Known, Known]:
        """Whether it was created, and whether it is gone, by itself or with what is above."""
        above = lineage(self.things, thing.mark)
        return min(one.created for one in above), max(one.deleted for one in above)

    def wrong_rows(self, engine: Engine) -> Iterator[str]:
        """All of SQL."""
        with engine.connect() as connection:
            for what, statement in INVARIANTS.items():
                if rows := connection.execute(text(statement)).all():
                    yield f"{what}: {len(rows)}, the first is {rows[0][0]!r}"
            for kind, statement in ROWS.items():
                for row in connection.exec_driver_sql(statement).mappings():
                    if (kind, row["id"]) not in self._aside:
                        yield from self._wrong_row(kind, row)
            for table in ROWS:
                checked = connection.exec_driver_sql(f"CHECK TABLE `{table}` EXTENDED").all()
                yield from (str(line) for line in checked if not is_sound(line[-1]))
        yield from self._missing()

    def _wrong_row(self, kind: str, row: Any) -> Iterator[str]:
        # A create whose answer was lost is known by its mark alone, which nothing has changed.
        thing = self._by_row.get((kind, row["id"])) or self.things.get(row["mark"])
        label = f"{kind} {row['id']} ({row['mark']})"
        if thing is None or thing.kind != kind:
            yield f"{label}: nobody asked for it"
            return
        if thing.created is Known.NO:
            yield f"{label}: its creation was refused"
        if thing.mark in self._found:
            yield f"{label}: it was created twice"
        self._found[thing.mark] = row["id"]
        yield from (f"{label}: {why}" for why in self._wrong_content(thing, row))

    def _wrong_content(self, thing: Thing, row: Any) -> Iterator[str]:
        gone = row["deleted_at"] is not None
        owner = self.things.get(thing.parent or "")
        # A user's projects are marked with the user.
        with_owner = owner.deleted if thing.kind == "project" and owner else Known.NO
        if gone and max(thing.deleted, with_owner) is Known.NO:
            yield "it is deleted, and nobody asked for that"
        if not gone and max(thing.deleted, with_owner) is Known.YES:
            yield "its deletion was acknowledged, and it is there"
        if thing.kind in ("project", "token") and row["value"] not in thing.values:
            yield f"it has {row['value']!r}, none of {thing.values}"
        if thing.kind == "target" and (row["description"], row["sha256"]) not in thing.values:
            yield f"it has {row['description'], row['sha256']}, none of {thing.values}"
        changes = row["revision"] - 1 - gone
        if not thing.changes <= changes <= thing.changes + thing.doubts:
            yield (
                f"{changes} changes were made, {thing.changes} were acknowledged, "
                f"{thing.doubts} are in doubt"
            )
        if owner and owner.row not in (None, row["parent"]):
            yield f"it is below {row['parent']}, not {owner.row}"

    def _missing(self) -> Iterator[str]:
        """What was acknowledged and is not there; the purge may have taken what is gone."""
        for thing in self.things.values():
            created, gone = self.state(thing)
            if created is Known.YES and gone is Known.NO and thing.mark not in self._found:
                yield f"{thing.kind} {thing.mark}: it was acknowledged, and there is no row of it"

    def wrong_answers(self, caller: Caller) -> Iterator[str]:
        """What clients find: their things as they were told, and none that are gone."""
        tokens: dict[str, str] = {}
        for user in self._of("user"):
            yield from self._log_in(caller, user, tokens)
        apps = {}
        for token in self._of("token"):
            yield from self._try_token(caller, token, apps)
        for project in self._of("project"):
            if project.row and (token := tokens.get(project.parent or "")):
                yield from self._read(caller, project, f"/api/project/{project.row}", token)
        for target in self._of("target"):
            place = self.things[target.parent or ""]
            if target.row and place.row and (token := apps.get(place.mark)):
                path = f"/api/project/{place.row}/imagetarget/{target.row}"
                yield from self._read(caller, target, path, token)

    def _of(self, kind: str) -> list[Thing]:
        return [
            thing
            for thing in self.things.values()
            if thing.kind == kind and ("target", thing.row) not in self._aside
        ]

    def _log_in(self, caller: Caller, user: Thing, tokens: dict[str, str]) -> Iterator[str]:
        """One of the passwords works, or none where the user is gone."""
        statuses = []
        for password in reversed(user.values):
            answer = caller.ask("POST", "/api/login", {"login": user.mark, "password": password})
            statuses.append(answer.status)
            if answer.status == 200:
                tokens[user.mark] = answer.json["token"]
                break
        created, gone = self.state(user)
        if (created is Known.NO or gone is Known.YES) and user.mark in tokens:
            yield f"user {user.mark} can log in, but should be gone"
        if created is Known.YES and gone is Known.NO and user.mark not in tokens:
            yield f"user {user.mark} cannot log in: {statuses}"

    def _try_token(self, caller: Caller, token: Thing, apps: dict[str, str]) -> Iterator[str]:
        """A project token works if nothing has ended it."""
        place = self.things[token.parent or ""]
        if not token.secret or not place.row:
            return
        path = f"/api/project/{place.row}/imagetarget?limit=1"
        status = caller.ask("GET", path, token=token.secret).status
        gone = self.state(token)[1]
        right = {Known.NO: (200,), Known.YES: (401,), Known.MAYBE: (200, 401)}[gone]
        if status not in right:
            yield f"token {token.mark}: {status}, not one of {right}"
        if status == 200:
            apps[place.mark] = token.secret

    def _read(self, caller: Caller, thing: Thing, path: str, token: str) -> Iterator[str]:
        """It shows one of its values, or 404 where it is gone."""
        answer = caller.ask("GET", path, token=token)
        gone = self.state(thing)[1]
        if answer.status == 404 and gone is not Known.NO:
            return
        if answer.status != 200 or gone is Known.YES:
            yield f"GET {path} ({thing.mark}): {answer.status}"
            return
        shown = answer.json
        value = (
            shown["name"] if thing.kind == "project" else (shown["description"], shown["sha256"])
        )
        if value not in thing.values:
            yield f"GET {path} ({thing.mark}): {value}, none of {thing.values}"
        if thing.kind == "target":
            yield from self._read_image(caller, path, token, shown["sha256"])

    def _read_image(self, caller: Caller, path: str, token: str, checksum: str) -> Iterator[str]:
        data = caller.ask("GET", f"{path}/image", token=token).body
        if hashlib.sha256(data).hexdigest() != checksum:
            yield f"GET {path}/image: {len(data)} bytes that are not the image"
