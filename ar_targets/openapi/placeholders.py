"""The values of ``${name}`` in `description.yaml`: mostly limits from the settings.

A string that consists of ``${name}`` alone becomes the value with its own type;
within a longer text, numbers are formatted for readers.
"""

import re
from collections.abc import Mapping
from typing import Any

import limits

from ..images.base64_jpeg import largest_body
from ..images.jpeg import MAX_SCANS
from ..settings import OTHER_FIELDS, Settings
from ..version import VERSION
from .page import ASSETS

PLACE = re.compile(r"\$\{(\w+)\}")

USER_ACCESS = {
    "open": (
        "Users, administrators excepted, can be listed, changed and deleted by anyone on this "
        "server, with or without a token."
    ),
    "self": "Users are shown to themselves alone on this server, and changed by nobody else.",
}
USER_LIST = {
    "open": "All users; of administrators none but the caller.",
    "self": "The caller alone.",
}
USER_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "open": [{}, {"user_token": []}],
    "self": [{"user_token": []}],
}


def values_of(settings: Settings) -> dict[str, Any]:
    """The value of each placeholder by name."""
    return {
        "version": VERSION,
        "server_url": "/",
        "docs_assets": list(ASSETS),
        "projects_per_user": settings.projects_per_user,
        "targets_per_project": settings.targets_per_project,
        "bytes_per_user": settings.bytes_per_user,
        "image_max_bytes": settings.image_max_bytes,
        "image_max_pixels": settings.image_max_pixels,
        "image_max_scans": MAX_SCANS,
        "image_body_bytes": largest_body(settings),
        "target_body_bytes": OTHER_FIELDS,
        "login_token_ttl": settings.login_token_ttl,
        "login_failures": rate_in_words(settings.login_failures),
        "address_failures": address_failures(settings.login_failures_per_address),
        "project_token_ttl": settings.project_token_ttl,
        "project_token_max_ttl": settings.project_token_max_ttl,
        "user_access": USER_ACCESS[settings.user_access],
        "user_list": USER_LIST[settings.user_access],
        "user_changes": changes_in_words(settings.user_change_rate),
        "user_security": USER_SECURITY[settings.user_access],
    }


def rate_in_words(rate: limits.RateLimitItem) -> str:
    """A rate limit in words: ``10 in 15 minutes``."""
    unit = rate.GRANULARITY.name + ("s" if rate.multiples > 1 else "")
    return f"{rate.amount} in {rate.multiples} {unit}"


def address_failures(rate: limits.RateLimitItem | None) -> str:
    """The clause about failed logins per address; empty if they are not limited."""
    return f", or than {rate_in_words(rate)} for one address," if rate else ""


def changes_in_words(rate: limits.RateLimitItem | None) -> str:
    """The rate limit of changes of users, in words."""
    return rate_in_words(rate) if rate else "any number"


def fill(node: Any, values: Mapping[str, Any]) -> Any:
    """A copy with all placeholders filled. Raises KeyError for a name without a value."""
    if isinstance(node, dict):
        return {key: fill(child, values) for key, child in node.items()}
    if isinstance(node, list):
        return [fill(child, values) for child in node]
    if not isinstance(node, str):
        return node
    if whole := PLACE.fullmatch(node):
        return values[whole[1]]
    return PLACE.sub(lambda place: for_people(values[place[1]]), node)


def for_people(value: Any) -> str:
    """A value formatted for a text: numbers have thousands separators."""
    return f"{value:,}" if isinstance(value, int) else str(value)
