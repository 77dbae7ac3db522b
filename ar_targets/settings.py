"""Every setting of the server: its name, type, default and meaning.

A setting comes from the ini file (``ar_targets.<name>`` in ``[app:main]``) or from the
environment, which takes precedence: ``AR_TARGETS_<NAME>``, or ``AR_TARGETS_<NAME>_FILE`` with the
path of a file that holds the value (as container engines pass secrets). An invalid value ends the
start-up with one line that names the setting; so does an unknown name in the ini file, so that a
misspelt limit is not silently ignored.

A test compares the README's table with this module.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import limits
from cronsim import CronSim, CronSimError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "ar_targets."
ENV_PREFIX = "AR_TARGETS_"

# HS256 requires a key at least as long as its hash (RFC 7518, 3.2).
MIN_JWT_KEY_BYTES = 32
# Bytes for all else that is sent with an image (`image_max_bytes`), to us and to the database:
# 2 MiB of metadata, and a description of 65,535 bytes, six characters each where JSON escapes
# them.
OTHER_FIELDS = 3 * 2**20


Parsed = TypeVar("Parsed")


class SettingsError(SystemExit):
    """An invalid setting. If uncaught, Python prints its one line and exits with status 1."""


def setting(
    parse: Callable[[str], Any], default: str | None, meaning: str, *, secret: bool = False
) -> Any:
    """A dataclass field; ``default`` is written as in an ini file, None makes it required."""
    metadata = {"parse": parse, "default": default, "meaning": meaning}
    return field(metadata=metadata, repr=not secret)


def between(low: int, high: int) -> Callable[[str], int]:
    """A parser for whole numbers from ``low`` to ``high``, inclusive."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"it must be a whole number from {low} to {high}")
        return int(text)

    return parse


def database_url(text: str) -> URL:
    """A SQLAlchemy URL of a MySQL or MariaDB database."""
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in ("mysql", "mariadb") or not url.database:
        # The text may hold a password: it is not repeated here.
        raise ValueError("it must look like mysql+pymysql://user:password@host:3306/ar_targets")
    for name in sorted({"ssl_ca", "ssl_cert", "ssl_key"} & url.query.keys()):
        if not os.access(str(url.query[name]), os.R_OK):
            raise ValueError(f"{name}: there is no file {url.query[name]} that can be read")
    if url.get_driver_name() == "pymysql" and "ssl_ca" not in url.query:
        # Neither means there what it says: the certificates of all authorities, and any name.
        for name in sorted({"ssl", "ssl_verify_cert", "ssl_verify_identity"} & url.query.keys()):
            raise ValueError(f"{name} needs ssl_ca, a file with the certificate of the authority")
    return url


def jwt_keys(text: str) -> tuple[str, ...]:
    """Keys separated by white space, newest first."""
    keys = tuple(text.split())
    if not keys or any(len(key.encode()) < MIN_JWT_KEY_BYTES for key in keys):
        raise ValueError(
            f"each key must have at least {MIN_JWT_KEY_BYTES} bytes; make one with: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return keys


def secret_key(text: str) -> str:
    """One key, or an empty text."""
    if text and not re.fullmatch(rf"[!-~]{{{MIN_JWT_KEY_BYTES},}}", text):
        raise ValueError(
            f"it must have at least {MIN_JWT_KEY_BYTES} characters of ASCII and no white space; "
            "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return text


def http_url(text: str) -> str:
    """The URL of a server, without a path, or an empty text."""
    if text and not re.fullmatch(
        r"https?://(\[[0-9a-fA-F:.]+\]|[^\s\[\]:/?#@]+)(:[0-9]{1,5})?/?", text
    ):
        raise ValueError("it must look like http://127.0.0.1:6544")
    return text.rstrip("/")


def one_of(*names: str) -> Callable[[str], str]:
    """A parser for one of several names."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"it must be {' or '.join(map(repr, names))}")
        return text

    return parse


def on_or_off(text: str) -> bool:
    """Parse ``on`` or ``off``."""
    if text not in ("on", "off"):
        raise ValueError("it must be 'on' or 'off'")
    return text == "on"


def origins(text: str) -> frozenset[str]:
    """Web origins separated by white space, or ``*`` for all of them."""
    found = frozenset(text.split())
    for origin in found - {"*"}:
        if not re.fullmatch(r"https?://[^/\s*]+", origin):
            raise ValueError(
                f"{origin!r} is no origin; write them like https://app.example.org, or * for all"
            )
    return found


def rate(text: str) -> limits.RateLimitItem:
    """A rate limit in the notation of the limits library: ``10 per 15 minutes``."""
    try:
        return limits.parse(text)
    except ValueError:
        raise ValueError("it must look like '10 per 15 minutes'") from None


def rate_or_off(text: str) -> limits.RateLimitItem | None:
    """A rate limit; None for ``off``."""
    return None if text in ("", "off") else rate(text)


def storage_uri(text: str) -> str:
    """``database://``, or a storage of the limits library: ``memory://``, ``redis://host:6379``."""
    if not re.match(r"[a-z+]+://", text):
        raise ValueError("it must be a URI like database://, memory:// or redis://host:6379")
    return text


def schedule(text: str) -> str:
    """A cron expression with five fields: ``17 * * * *``."""
    try:
        next(CronSim(text, datetime.now(UTC)))
    except (CronSimError, StopIteration):
        raise ValueError("it must be a crontab's five fields, like '17 * * * *'") from None
    return text


def optional(parse: Callable[[str], Parsed]) -> Callable[[str], Parsed | None]:
    """A parser that returns None for an empty text."""
    return lambda text: parse(text) if text else None


def address(text: str) -> str:
    """An address and a port: ``0.0.0.0:6543``, ``[::1]:6543``."""
    if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s\[\]:/]+):[0-9]{1,5}", text):
        raise ValueError("it must be an address and a port, like 127.0.0.1:6543 or [::1]:6543")
    return text


def proxy(text: str) -> str | None:
    """The address of a proxy, or ``*``; None for an empty text."""
    if text in ("", "*"):
        return text or None
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("it must be one IP address, or * for whoever connects") from None


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks or addresses separated by white space; ``none`` for no network."""
    found = []
    for word in text.split() if text != "none" else ():
        try:
            found.append(ip_network(word))
        except ValueError:
            raise ValueError(
                f"{word!r} is no network; write them like 10.0.0.0/8 or ::1, or none"
            ) from None
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings, parsed; available as ``request.registry.ar_settings``."""

    database_url: URL = setting(
        database_url,
        None,
        "the MySQL or MariaDB database, as an SQLAlchemy URL",
    )
    database_pool_size: int = setting(
        between(1, 1000),
        "16",
        "connections that each process keeps at most, two at least: half for requests that read, "
        "half for those that may write; fewer than the server's threads, so that a database that "
        "hangs leaves threads to all else",
    )
    database_timeout: int = setting(
        between(1, 600),
        "5",
        "seconds to wait for the database before the answer is 503",
    )
    database_cluster: Literal["none", "galera", "group_replication"] = setting(
        one_of("none", "galera", "group_replication"),
        "none",
        "the kind of cluster that the database is: on `galera` (MariaDB, Percona) and "
        "`group_replication` (MySQL InnoDB Cluster) each statement sees what was committed before "
        "on any node",
    )
    slow_query_ms: int = setting(
        between(0, 3_600_000),
        "500",
        "milliseconds from which on a statement is logged as slow",
    )
    jwt_keys: tuple[str, ...] = setting(
        jwt_keys,
        None,
        "secret keys for the tokens, separated by white space, each of at least "
        f"{MIN_JWT_KEY_BYTES} bytes; the first signs, all verify",
        secret=True,
    )
    login_token_ttl: int = setting(
        between(1, 31_536_000),
        "43200",
        "seconds that a user token lives",
    )
    login_failures: limits.RateLimitItem = setting(
        rate,
        "10 per 15 minutes",
        "failed logins allowed for one login name from one address",
    )
    login_failures_per_address: limits.RateLimitItem | None = setting(
        rate_or_off,
        "100 per 15 minutes",
        "failed logins allowed from one address, whatever the login names; `off`: any number",
    )
    login_failure_storage: str = setting(
        storage_uri,
        "database://",
        "where failed logins (and changes of users) are counted: `database://` is our own "
        "database, `memory://` each process by itself; or another storage URI of the limits "
        "library",
    )
    project_token_ttl: int = setting(
        between(1, 3_153_600_000),
        "1209600",
        "seconds that a project token lives when its creator names no ttl",
    )
    project_token_max_ttl: int = setting(
        between(1, 3_153_600_000),
        "31536000",
        "the largest ttl of a project token, in seconds",
    )
    audit_days: int = setting(
        between(0, 36_500),
        "90",
        "days for which the audit trail remembers who changed what; `0`: requests leave no trail",
    )
    user_access: Literal["open", "self"] = setting(
        one_of("open", "self"),
        "open",
        "`open`: anyone may list, change and delete users; `self`: only users themselves",
    )
    purge_schedule: str = setting(
        schedule,
        "17 * * * *",
        "when `ar_targets_schedule` purges, in UTC, as in a crontab",
    )
    purge_deleted_after: int | None = setting(
        optional(between(0, 36_500)),
        "",
        "days after which it removes for good what was deleted; empty: never",
    )
    backup_schedule: str | None = setting(
        optional(schedule),
        "",
        "when `ar_targets_schedule` makes a backup, in UTC, as in a crontab; empty: never",
    )
    backup_directory: str | None = setting(
        optional(str),
        "",
        "where it puts the backups; required with `backup_schedule`",
    )
    backup_keep: int = setting(
        between(1, 10_000),
        "14",
        "how many of them it keeps",
    )
    backup_keys: bool = setting(
        on_or_off,
        "off",
        "`on`: a copy of `jwt_keys` beside each of them",
    )
    user_change_rate: limits.RateLimitItem | None = setting(
        rate_or_off,
        "off",
        "how often users may be created, changed or deleted from one address, like "
        "`20 per 1 hour`; `off`: without limit",
    )
    projects_per_user: int = setting(
        between(1, 10**15),
        "1000",
        "projects that a user may own; in this and the next two, what is deleted counts until "
        "it is purged",
    )
    targets_per_project: int = setting(
        between(1, 10**15),
        "100000",
        "image targets that a project may have",
    )
    bytes_per_user: int = setting(
        between(1, 10**15),
        "107374182400",
        "bytes of images and metadata in all projects that a user owns",
    )
    image_max_bytes: int = setting(
        between(1, 268_435_456),
        "10485760",
        "bytes of the largest JPEG",
    )
    image_max_pixels: int = setting(
        between(1, 4_294_836_225),
        "50000000",
        "pixels (width × height) of the largest JPEG",
    )
    vision_url: str = setting(
        http_url,
        "",
        "where `ar_targets_vision`, or the balancer in front of several, is reached by the API and "
        "the worker; empty: what needs it is answered 503",
    )
    vision_key: str = setting(
        secret_key,
        "",
        "the secret that they show to `ar_targets_vision`, of at least "
        f"{MIN_JWT_KEY_BYTES} characters; required with `vision_url`",
        secret=True,
    )
    vision_timeout: int = setting(
        between(1, 600),
        "20",
        "seconds that they wait for its answer",
    )
    vision_listen: str = setting(
        address,
        "127.0.0.1:6544",
        "address and port of `ar_targets_vision`, for the API and the worker alone",
    )
    vision_requests: int = setting(
        between(1, 1000),
        "8",
        "requests that `ar_targets_vision` takes on at a time; 503 beyond",
    )
    vision_processes: int = setting(
        between(1, 256),
        "2",
        "pictures that it works on at a time, each in a process of its own; as many as cores",
    )
    vision_memory: int = setting(
        between(0, 10**15),
        "2147483648",
        "bytes of the projects' indexes that it holds; beyond, those are dropped that were used "
        "longest ago, and loaded again when they are asked for",
    )
    worker_processes: int = setting(
        between(1, 256),
        "1",
        "pictures that `ar_targets_worker` works on at a time, each in a process of its own",
    )
    worker_listen: str | None = setting(
        optional(address),
        "",
        "address and port of its metrics, for Prometheus alone; empty: it has none",
    )
    cors_origins: frozenset[str] = setting(
        origins,
        "",
        "web origins whose pages may call the API, separated by white space; `*` for all",
    )
    listen: str | None = setting(
        optional(address),
        "",
        "address and port of the production server; empty: as `[server:main]` says",
    )
    workers: int | None = setting(
        optional(between(1, 256)),
        "",
        "processes that share the address; empty: as `[server:main]` says",
    )
    trusted_proxy: str | None = setting(
        proxy,
        "",
        "address of the proxy in front, which alone is believed about its clients' addresses, "
        "host and scheme; `*` where nobody else can connect",
    )
    admin_panel: bool = setting(
        on_or_off,
        "on",
        "`on`: users find the admin panel at `/admin/`; `off`: nothing is there",
    )
    request_counts: bool = setting(
        on_or_off,
        "on",
        "`on`: the number of requests, errors and their durations are kept for the dashboard of "
        "the admin panel, by hour; `off`: they are not",
    )
    admin_session_ttl: int = setting(
        between(60, 43_200),
        "7200",
        "seconds without a request after which the admin panel asks for the password again",
    )
    metrics_networks: tuple[IPv4Network | IPv6Network, ...] = setting(
        networks,
        "127.0.0.0/8 ::1",
        "networks from which `/metrics` can be read, separated by white space, or `none`; "
        "never through a proxy",
    )

    def __post_init__(self) -> None:
        """Check settings that depend on each other."""
        if self.project_token_ttl > self.project_token_max_ttl:
            raise SettingsError(
                f"{PREFIX}project_token_ttl: it must not be above {PREFIX}project_token_max_ttl"
            )
        if self.backup_schedule and not self.backup_directory:
            raise SettingsError(f"{PREFIX}backup_schedule: it needs {PREFIX}backup_directory")
        if self.vision_url and not self.vision_key:
            raise SettingsError(f"{PREFIX}vision_url: it needs {PREFIX}vision_key")


def load(ini: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an ini file's ``[app:main]`` section and the environment.

    Raises SettingsError, in one line, for the first invalid one.
    """
    known = {field.name for field in fields(Settings)}
    for name in ini:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            raise SettingsError(f"{name}: there is no such setting")
    values = {}
    for spec in fields(Settings):
        source, text = _find(spec.name, ini, environ)
        if text is None:
            text = spec.metadata["default"]
        if text is None:
            raise SettingsError(
                f"{PREFIX}{spec.name}: it is not set; set it in the ini file or as "
                f"{ENV_PREFIX}{spec.name.upper()} in the environment ({spec.metadata['meaning']})"
            )
        try:
            values[spec.name] = spec.metadata["parse"](text.strip())
        except ValueError as wrong:
            raise SettingsError(f"{source}: {wrong}") from None
    return Settings(**values)


def _find(name: str, ini: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str, str | None]:
    """The source of a setting's text, and the text; None where it is unset or empty."""
    variable = ENV_PREFIX + name.upper()
    if environ.get(variable):
        return variable, environ[variable]
    if path := environ.get(variable + "_FILE"):
        try:
            return variable + "_FILE", Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as wrong:
            raise SettingsError(f"{variable}_FILE: cannot read {path!r}: {wrong}") from None
    return PREFIX + name, cast("str | None", ini.get(PREFIX + name) or None)
