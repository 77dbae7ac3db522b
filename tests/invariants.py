"""What rows and their audit trail must show at any time, whatever failed before.

The rules: a row's ``revision`` is 1 and counts up with each change, and each change has its
entry in the trail: so there are as many entries about a row, that of its creation included, as
its revision says. The one exception are projects, which go along when their owner is deleted,
and come back with the owner: that counts their revision up, too, but the one entry is the
owner's. They take turns, so the difference is odd for a project that lies with its owner, and
even for any other.

A membership that has ended has no row, but an entry that says so. A token that a member has made
is revoked with whatever would no longer allow it.
"""

from sqlalchemy import Engine, text

# Logins and links for a new password change no row of an audited noun.
ENTRIES = (
    "(SELECT COUNT(*) FROM audit WHERE noun = '{0}' AND row_id = `{0}`.id "
    "AND action NOT LIKE 'login%' AND action <> 'password link')"
)
CREATIONS = (
    "(SELECT COUNT(*) FROM audit WHERE noun = '{0}' AND row_id = `{0}`.id AND action = 'create')"
)
ENDED = "SELECT row_id FROM audit WHERE noun = 'member' AND action = 'delete'"
ONE_BY_ONE = ("user", "token", "target", "member")
ALL = (*ONE_BY_ONE, "project")

# What → a statement that finds nothing.
RULES = {
    **{
        f"a {noun} of which the trail tells too little, or too much": (
            f"SELECT id, revision, {ENTRIES.format(noun)} FROM `{noun}` "
            f"WHERE revision <> {ENTRIES.format(noun)}"
        )
        for noun in ONE_BY_ONE
    },
    "a project of which the trail tells too little, or too much": (
        f"SELECT id, revision, {ENTRIES.format('project')}, deleted_with_owner FROM project "
        f"WHERE revision < {ENTRIES.format('project')} "
        f"OR (revision - {ENTRIES.format('project')}) % 2 <> deleted_with_owner"
    ),
    **{
        f"a {noun} that was not created once": (
            f"SELECT id, {CREATIONS.format(noun)} FROM `{noun}` WHERE {CREATIONS.format(noun)} <> 1"
        )
        for noun in ALL
    },
    "an entry without a row": (
        "SELECT id, action, noun, row_id FROM audit WHERE row_id <> 0 AND "
        + " AND ".join(
            f"NOT (noun = '{noun}' AND row_id IN (SELECT id FROM `{noun}`))" for noun in ALL
        )
        + f" AND NOT (noun = 'member' AND row_id IN ({ENDED}))"
    ),
    "a membership that has ended, and has not": f"SELECT id FROM member WHERE id IN ({ENDED})",
    "a membership that has ended twice": f"{ENDED} GROUP BY row_id HAVING COUNT(*) > 1",
    "an owner who is a member": (
        "SELECT member.id FROM member JOIN project ON project.id = project_id "
        "WHERE owner_id = user_id"
    ),
    "a live token whose maker is no member who may have it": (
        "SELECT token.id FROM token WHERE created_by IS NOT NULL AND revoked_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM member JOIN user ON user.id = user_id "
        "WHERE member.project_id = token.project_id AND user_id = created_by "
        "AND user.deleted_at IS NULL AND (role = 'editor' OR access <> 'write'))"
    ),
    "a live project of a deleted owner": (
        "SELECT project.id FROM project JOIN user ON user.id = owner_id "
        "WHERE project.deleted_at IS NULL AND user.deleted_at IS NOT NULL"
    ),
    "a project that lies with an owner who is there": (
        "SELECT project.id FROM project JOIN user ON user.id = owner_id "
        "WHERE deleted_with_owner = 1 AND user.deleted_at IS NULL"
    ),
    "a project that lies with its owner, but is there": (
        "SELECT id FROM project WHERE deleted_with_owner = 1 AND deleted_at IS NULL"
    ),
    "an image that is not what its checksum says": (
        "SELECT id FROM target "
        "WHERE sha256 <> CONVERT(SHA2(image, 256) USING ascii) OR size <> LENGTH(image)"
    ),
    "a row that was changed before it was made": " UNION ALL ".join(
        f"SELECT id FROM `{noun}` WHERE updated_at < created_at "
        f"OR (revision = 1 AND updated_at <> created_at)"
        for noun in ALL
    ),
}


def broken(engine: Engine) -> list[str]:
    """The rules that do not hold, each with the first rows that break it.

    All rows must have been made with a trail, and none purged.
    """
    with engine.connect() as connection:
        found = {what: connection.execute(text(rule)).all() for what, rule in RULES.items()}
    return [f"{what}: {[tuple(row) for row in rows[:3]]}" for what, rows in found.items() if rows]


def snapshot(engine: Engine) -> dict[tuple[str, int], dict[str, object]]:
    """All rows with all their values, by table and id."""
    seen: dict[tuple[str, int], dict[str, object]] = {}
    with engine.connect() as connection:
        for table in (*ALL, "audit"):
            for row in connection.execute(text(f"SELECT * FROM `{table}`")).mappings():
                seen[table, row["id"]] = dict(row)
    return seen


def difference(before: dict, after: dict) -> list[tuple[str, str, frozenset[str]]]:
    """What has happened between two snapshots: sorted, without ids and values."""
    changes = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is None:
            what = f"new {new['action']} {new['noun']}" if key[0] == "audit" else "new"
            changes.append((key[0], what, frozenset()))
        elif new is None:
            changes.append((key[0], "gone", frozenset()))
        elif old != new:
            changed = frozenset(name for name in new if old[name] != new[name])
            changes.append((key[0], f"+{new['revision'] - old['revision']}", changed))
    return sorted(changes, key=str)
