"""The resource tree for traversal, with its ACLs.

::

    Root
    ├── user         UserList    → User
    ├── login        Login
    └── project      ProjectList → Project
                                   ├── jwt          TokenList  → Token
                                   ├── member       MemberList → Member
                                   └── imagetarget  TargetList → Target

A resource holds the record of its row and its parent. It raises KeyError for a missing child,
which Pyramid turns into 404. Access is denied unless an ACL here grants it.
"""

import weakref
from typing import Any, ClassVar

from pyramid.authorization import ALL_PERMISSIONS, Allow, Deny, Everyone
from pyramid.httpexceptions import HTTPMethodNotAllowed, HTTPUnauthorized
from pyramid.request import Request

from .auth.policy import (
    ANY_APP,
    ANY_USER,
    Identity,
    app_principal,
    member_principal,
    role_principal,
    user_principal,
)
from .db.base import parse_id
from .models import member, project, target, token, user
from .models.member import ROLES, MemberRecord
from .models.project import ProjectRecord
from .models.target import TargetRecord
from .models.token import TokenRecord
from .models.user import UserRecord
from .permissions import Permission

Acl = list[tuple[str, str, Any]]

OWN_PROJECT = (
    Permission.PROJECT_READ,
    Permission.USAGE_READ,
    Permission.PROJECT_UPDATE,
    Permission.PROJECT_DELETE,
    Permission.TOKEN_LIST,
    Permission.TOKEN_CREATE,
    Permission.TOKEN_READ,
    Permission.TOKEN_UPDATE,
    Permission.TOKEN_DELETE,
    Permission.MEMBER_LIST,
    Permission.MEMBER_CREATE,
    Permission.MEMBER_READ,
    Permission.MEMBER_UPDATE,
    Permission.MEMBER_DELETE,
)
# Of these, the tokens of a member's own.
SHARED_PROJECT = (
    Permission.PROJECT_READ,
    Permission.USAGE_READ,
    Permission.TOKEN_LIST,
    Permission.TOKEN_CREATE,
)
OWN_TOKEN = (Permission.TOKEN_READ, Permission.TOKEN_UPDATE, Permission.TOKEN_DELETE)
READ_TARGETS = (
    Permission.USAGE_READ,
    Permission.TARGET_LIST,
    Permission.TARGET_READ,
    Permission.ANALYSIS_READ,
)
WRITE_TARGETS = (
    *READ_TARGETS,
    Permission.TARGET_CREATE,
    Permission.TARGET_UPDATE,
    Permission.TARGET_DELETE,
    Permission.TARGET_RESTORE,
    Permission.ANALYSIS_RETRY,
    Permission.ANALYSIS_CREATE,
)
CHANGE_USER = (Permission.USER_UPDATE, Permission.USER_DELETE)
ANY_USERS = (Permission.USER_LIST, Permission.USER_READ, *CHANGE_USER)


def root_factory(request: Request) -> "Root":
    """The root factory of the routes below ``/api``; checks the method and the credentials.

    The order of the checks is part of the API contract. An unknown path matches no route (404).
    Here, a wrong method is 405 and invalid credentials are 401. Then the resources raise 401 for
    missing credentials and 404 for missing objects, and the ACLs give 403 for insufficient ones.
    """
    require_method(request)
    if "Authorization" in request.headers:
        require_identity(request)
    # A weak reference: the request refers to its context, and the cycle would keep the body of
    # each upload in memory until the garbage collector runs.
    return Root(weakref.proxy(request))


def public_factory(request: Request) -> object:
    """The root factory of services outside the tree; raises 405 as `root_factory` does."""
    require_method(request)
    return object()


def require_method(request: Request) -> None:
    """Raise 405 for a method that the service does not support."""
    service = request.current_service
    if request.method not in service.defined_methods:
        raise HTTPMethodNotAllowed(headers={"Allow": ", ".join(allowed_methods(service))})


def allowed_methods(service: Any) -> list[str]:
    """The methods for the ``Allow`` header of a Cornice service."""
    return sorted({*service.defined_methods, "OPTIONS"})


def require_identity(request: Request) -> Identity:
    """The identity of the caller; raises 401 without a valid token."""
    identity: Identity | None = request.identity
    if identity is None:
        raise HTTPUnauthorized
    return identity


def row_id(name: str) -> int:
    """The id in a path segment; raises KeyError for a text that is not an id."""
    number = parse_id(name)
    if number is None:
        raise KeyError(name)
    return number


class Resource:
    """A node of the tree. Its ``__acl__``, if any, is checked before its parent's."""

    def __init__(self, request: Request, parent: "Resource | None" = None, name: str = "") -> None:
        self.request = request
        self.__parent__ = parent
        self.__name__ = name


class Root(Resource):
    """``/api``."""

    def __getitem__(self, name: str) -> Resource:
        children: dict[str, type[UserList | Login | ProjectList]] = {
            "user": UserList,
            "login": Login,
            "project": ProjectList,
        }
        return children[name](self.request, self, name)


class Login(Resource):
    """``/api/login``: denied to holders of project tokens, which are for targets only."""

    __acl__: ClassVar[Acl] = [
        (Deny, ANY_APP, ALL_PERMISSIONS),
        (Allow, Everyone, Permission.LOGIN_CREATE),
    ]


class UserList(Resource):
    """``/api/user``: the setting ``user_access`` says who may list and change users."""

    def __init__(self, request: Request, parent: Resource, name: str) -> None:
        super().__init__(request, parent, name)
        self.open = request.registry.ar_settings.user_access == "open"
        if not self.open and request.method != "POST":
            require_identity(request)

    @property
    def __acl__(self) -> Acl:
        apps_out = (Deny, ANY_APP, ALL_PERMISSIONS)
        all_create = (Allow, Everyone, Permission.USER_CREATE)
        if self.open:
            return [apps_out, all_create, (Allow, Everyone, ANY_USERS)]
        return [apps_out, all_create, (Allow, ANY_USER, Permission.USER_LIST)]

    def __getitem__(self, user_id: str) -> "User":
        record = user.find(self.request.db, row_id(user_id))
        if record is None:
            raise KeyError(user_id)
        return User(self.request, self, user_id, record)


class User(Resource):
    """``/api/user/<id>``: an administrator is visible only to itself, and cannot be changed."""

    def __init__(self, request: Request, parent: UserList, name: str, record: UserRecord) -> None:
        super().__init__(request, parent, name)
        self.record = record
        reads = request.method in ("GET", "HEAD")
        if record.is_admin and reads and user_principal(record.id) != request.authenticated_userid:
            raise KeyError(name)

    @property
    def __acl__(self) -> Acl:
        own: Acl = [(Allow, user_principal(self.record.id), (Permission.USER_READ, *CHANGE_USER))]
        return [(Deny, Everyone, CHANGE_USER), *own] if self.record.is_admin else own


class ProjectList(Resource):
    """``/api/project``: for users, each of whom has their own projects."""

    __acl__: ClassVar[Acl] = [
        (
            Allow,
            ANY_USER,
            (Permission.PROJECT_LIST, Permission.PROJECT_CREATE, Permission.PROJECT_RESTORE),
        )
    ]

    def __init__(self, request: Request, parent: Resource, name: str) -> None:
        super().__init__(request, parent, name)
        require_identity(request)

    def __getitem__(self, project_id: str) -> "Project":
        record = self.request.lookup.project
        if record is None or record.id != row_id(project_id):
            record = project.find(self.request.db, row_id(project_id))
        if record is None:
            raise KeyError(project_id)
        return Project(self.request, self, project_id, record)


class Project(Resource):
    """``/api/project/<id>``: for its owner, and less of it for its members.

    Its targets are for its project tokens.
    """

    def __init__(
        self, request: Request, parent: ProjectList, name: str, record: ProjectRecord
    ) -> None:
        super().__init__(request, parent, name)
        self.record = record

    @property
    def __acl__(self) -> Acl:
        return [
            (Allow, user_principal(self.record.owner_id), OWN_PROJECT),
            *((Allow, role_principal(self.record.id, role), SHARED_PROJECT) for role in ROLES),
            (Allow, app_principal(self.record.id, "read"), READ_TARGETS),
            (Allow, app_principal(self.record.id, "write"), WRITE_TARGETS),
        ]

    @property
    def member_id(self) -> int | None:
        """The id of a user who has a token and is not the owner, and so a member."""
        user_id: int | None = self.request.identity.user_id
        return None if user_id == self.record.owner_id else user_id

    def __getitem__(self, name: str) -> "TokenList | MemberList | TargetList":
        children: dict[str, type[TokenList | MemberList | TargetList]] = {
            "jwt": TokenList,
            "member": MemberList,
            "imagetarget": TargetList,
        }
        return children[name](self.request, self, name)


class TokenList(Resource):
    """``/api/project/<id>/jwt``."""

    def __init__(self, request: Request, parent: Project, name: str) -> None:
        super().__init__(request, parent, name)
        self.project = parent

    def __getitem__(self, token_id: str) -> "Token":
        project_id, record = self.project.record.id, self.request.lookup.token
        if record is None or (record.project_id, record.id) != (project_id, row_id(token_id)):
            record = token.find(self.request.db, project_id, row_id(token_id))
        if record is None:
            raise KeyError(token_id)
        return Token(self.request, self, token_id, record)


class Token(Resource):
    """``/api/project/<id>/jwt/<token_id>``: for the owner, and for the member who made it."""

    def __init__(self, request: Request, parent: TokenList, name: str, record: TokenRecord) -> None:
        super().__init__(request, parent, name)
        self.record = record

    @property
    def __acl__(self) -> Acl:
        maker = self.record.created_by
        if maker is None:
            return []
        return [(Allow, member_principal(self.record.project_id, maker), OWN_TOKEN)]


class MemberList(Resource):
    """``/api/project/<id>/member``."""

    def __init__(self, request: Request, parent: Project, name: str) -> None:
        super().__init__(request, parent, name)
        self.project = parent

    def __getitem__(self, user_id: str) -> "Member":
        record = member.find(self.request.db, self.project.record.id, row_id(user_id))
        if record is None:
            raise KeyError(user_id)
        return Member(self.request, self, user_id, record)


class Member(Resource):
    """``/api/project/<id>/member/<user_id>``: for the owner, and for that user to leave."""

    def __init__(
        self, request: Request, parent: MemberList, name: str, record: MemberRecord
    ) -> None:
        super().__init__(request, parent, name)
        self.record = record

    @property
    def __acl__(self) -> Acl:
        themself = member_principal(self.record.project_id, self.record.user_id)
        return [(Allow, themself, Permission.MEMBER_DELETE)]


class TargetList(Resource):
    """``/api/project/<id>/imagetarget``."""

    def __init__(self, request: Request, parent: Project, name: str) -> None:
        super().__init__(request, parent, name)
        self.project = parent

    def __getitem__(self, target_id: str) -> "Target":
        project_id, record = self.project.record.id, self.request.lookup.target
        if record is None or (record.project_id, record.id) != (project_id, row_id(target_id)):
            record = target.find(self.request.db, project_id, row_id(target_id))
        if record is None:
            raise KeyError(target_id)
        return Target(self.request, self, target_id, record)


class Target(Resource):
    """``/api/project/<id>/imagetarget/<target_id>``, and its ``/image``."""

    def __init__(
        self, request: Request, parent: TargetList, name: str, record: TargetRecord
    ) -> None:
        super().__init__(request, parent, name)
        self.record = record

    def image(self) -> bytes | None:
        """The JPEG; None where it was replaced or deleted since the record was read."""
        # Not kept in the lookup: an image may have megabytes.
        data: bytes | None = self.looked_up().pop("image", None)
        return target.image(self.request.db, self.record) if data is None else data

    def metadata(self) -> str | None:
        """The metadata as JSON text; None for null."""
        text: str | None = self.looked_up().get("metadata")
        return target.metadata(self.request.db, self.record) if text is None else text

    def looked_up(self) -> dict[str, Any]:
        """The target's large columns that were read with the record."""
        lookup = self.request.lookup
        large: dict[str, Any] = lookup.large if self.record is lookup.target else {}
        return large
