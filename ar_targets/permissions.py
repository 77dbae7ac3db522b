"""Every permission, as ``noun:verb``.

ACLs are inherited down the resource tree, so a permission must name its noun: a bare "create" for
a project would let its holder create targets too.
"""

from enum import StrEnum


class Permission(StrEnum):
    """The permissions that views require and ACLs grant."""

    LOGIN_CREATE = "login:create"

    USER_LIST = "user:list"
    USER_CREATE = "user:create"
    USER_READ = "user:read"
    USER_UPDATE = "user:update"
    USER_DELETE = "user:delete"

    PROJECT_LIST = "project:list"
    PROJECT_CREATE = "project:create"
    PROJECT_READ = "project:read"
    PROJECT_UPDATE = "project:update"
    PROJECT_DELETE = "project:delete"
    PROJECT_RESTORE = "project:restore"

    USAGE_READ = "usage:read"

    TOKEN_LIST = "token:list"  # noqa: S105  a permission, not a password
    TOKEN_CREATE = "token:create"  # noqa: S105
    TOKEN_READ = "token:read"  # noqa: S105
    TOKEN_UPDATE = "token:update"  # noqa: S105
    TOKEN_DELETE = "token:delete"  # noqa: S105

    MEMBER_LIST = "member:list"
    MEMBER_CREATE = "member:create"
    MEMBER_READ = "member:read"
    MEMBER_UPDATE = "member:update"
    MEMBER_DELETE = "member:delete"

    TARGET_LIST = "target:list"
    TARGET_CREATE = "target:create"
    TARGET_READ = "target:read"
    TARGET_UPDATE = "target:update"
    TARGET_DELETE = "target:delete"
    TARGET_RESTORE = "target:restore"

    ANALYSIS_READ = "analysis:read"
    ANALYSIS_RETRY = "analysis:retry"
    ANALYSIS_CREATE = "analysis:create"
