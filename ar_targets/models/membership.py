"""Changes of a membership, and with it of the tokens that the member has made.

A lowered role and an ended membership revoke the tokens that are no longer allowed in the same
transaction. The member's row is changed first: creating a token locks it, so none can be created
in between.
"""

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.exc import IntegrityError

from .. import clock
from ..db.session import Database
from . import member as members
from .change import change, create_below
from .member import DENIED, Member, MemberRecord
from .project import Project
from .revocation import revoke_all
from .token import Token
from .user import User, UserRecord


class AlreadyMemberError(Exception):
    """The user is a member; the transaction must be rolled back."""


# A member is live, and not the owner.
_NOT_THE_OWNER = (User.id == bindparam("user_id"), User.alive(), User.id != Project.owner_id)


def create(db: Database, project_id: int, user: UserRecord, role: str) -> MemberRecord | None:
    """Share a project with a user.

    None where the project or the user is deleted, or the user is the owner by now. Raises
    AlreadyMemberError.
    """
    now = clock.now()
    values = {"project_id": project_id, "user_id": user.id, "role": role}
    try:
        row_id = create_below(db, Project, project_id, Member, now, values, only=_NOT_THE_OWNER)
    except IntegrityError:
        raise AlreadyMemberError from None
    if row_id is None:
        return None
    return MemberRecord(row_id, project_id, user.id, user.login, role, 1, user.revision, now, now)


def change_role(
    db: Database, record: MemberRecord, role: str, revision: int | None = None
) -> MemberRecord | None:
    """The member with another role; None where it is none, or its revision is not the given one."""
    now = clock.now()
    number = change(db, Member, record.row_id, now, {"role": role}, revision=revision)
    if number is None:
        return None
    if DENIED[role]:
        _revoke(db, record, Token.access.in_(DENIED[role]))
    return record._replace(role=role, revision=number, updated_at=now)


def end(db: Database, record: MemberRecord, revision: int | None = None) -> bool:
    """End a membership, by the owner or the member; False as for `change_role`."""
    if not members.remove(db, record.project_id, record.user_id, revision):
        return False
    _revoke(db, record)
    return True


def _revoke(db: Database, record: MemberRecord, *conditions: ColumnElement[bool]) -> None:
    """Revoke a member's tokens in the project."""
    theirs = (Token.created_by == record.user_id, Token.project_id == record.project_id)
    revoke_all(db, Token, *theirs, *conditions)
