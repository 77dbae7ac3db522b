"""The options that commands share, and the API client that results from them."""

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from .. import Client, ClientError, Retry
from ..targets import Targets
from ..transport import server_url
from .credentials import Credentials
from .output import note

Command = TypeVar("Command", bound=Callable[..., Any])
# Names that contain no shell metacharacters and do not look like an option.
HARMLESS = re.compile(r"\w[\w.@+-]*")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Session:
    """The server, tokens and options of one command."""

    def __init__(
        self, *, server: str | None, token: str | None, retries: int, as_json: bool
    ) -> None:
        self.credentials = Credentials()
        self.as_json = as_json
        self._named_server = server
        self._token = token
        self._retries = retries

    @functools.cached_property
    def server(self) -> str:
        """The URL of the server: given as an option or variable, else that of the last login."""
        named = self._named_server or self.credentials.server
        if named is None:
            raise click.UsageError("Name the server: --server URL, or AR_TARGETS_SERVER.")
        url = server_url(named)
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            note(f"Warning: {url} is not encrypted; passwords and tokens can be read on the way.")
        return url

    def client(self, token: str | None) -> Client:
        """A client with the given token or none."""
        retry = Retry(attempts=self._retries + 1)
        return Client(self.server, token, retry=retry, on_wait=self._tell_wait)

    def _tell_wait(self, seconds: float, failure: ClientError) -> None:
        note(f"{failure}; trying again in {seconds:.1f} s")

    def anyone(self) -> Client:
        """A client for requests that need no token; it sends one if there is one."""
        login = self.credentials.login(self.server)
        return self.client(self._token or (login["token"] if login else None))

    def user(self) -> Client:
        """A client with a user's token. Raises ClientError without one."""
        login = self.credentials.login(self.server)
        if self._token is None and login is None:
            raise NotLoggedInError(f"you are not logged in at {self.server}: ar-targets login")
        return self.client(self._token or (login or {})["token"])

    def targets(self, project: str) -> Targets:
        """The targets of a project, with one of its tokens. Raises ClientError if there is none."""
        if self._token is not None:
            if not project.isdecimal():
                raise click.UsageError("With --token or AR_TARGETS_TOKEN, name the project by id.")
            return self.client(self._token).targets(int(project))
        project_id = self.project_id(project)
        kept = self.credentials.projects(self.server).get(project_id)
        if kept is None:
            raise NotLoggedInError(
                f"no token of project {project} is kept here: make one with "
                f"'ar-targets token add --keep {project}', or set AR_TARGETS_TOKEN"
            )
        return self.client(kept["token"]).targets(project_id)

    def project_id(self, project: str) -> int:
        """The id of a project, given by id or name. Raises ClientError."""
        if project.isdecimal() and project.isascii():
            return int(project)
        for project_id, kept in self.credentials.projects(self.server).items():
            if kept["name"].casefold() == project.casefold():
                return project_id
        for found in self.user().projects.list():
            if found.name.casefold() == project.casefold():
                return found.id
        raise ClientError(f"you have no project {project!r}; see 'ar-targets project list'")


class NotLoggedInError(ClientError):
    """There is no stored token to send."""


def with_session(command: Command) -> Command:
    """Add the shared options to a command, and pass it the session as its first argument."""

    @click.option("--server", envvar="AR_TARGETS_SERVER", metavar="URL", help="The server.")
    @click.option(
        "--token",
        envvar="AR_TARGETS_TOKEN",
        metavar="JWT",
        help="A token in place of those that are kept. Others may see it among the processes: "
        "AR_TARGETS_TOKEN is better.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option(
        "--retries",
        type=click.IntRange(0, 100),
        default=4,
        show_default=True,
        help="How often a request is sent again.",
    )
    @click.pass_context
    @functools.wraps(command)
    def wrapped(
        ctx: click.Context,
        /,
        *args: Any,
        server: str | None,
        token: str | None,
        retries: int,
        as_json: bool,
        **kwargs: Any,
    ) -> Any:
        ctx.meta["as_json"] = as_json
        session = Session(
            server=server or None, token=token or None, retries=retries, as_json=as_json
        )
        return command(session, *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def kept_projects(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Shell completion: the projects whose tokens are stored, without asking the server.

    The server determines their names, and the shell treats a completion as if it had been
    typed: names with special characters are left out.
    """
    try:
        credentials = Credentials()
        kept = credentials.projects(credentials.server or "")
    except ClientError:
        return []
    names = [token["name"] for token in kept.values() if token["name"].startswith(incomplete)]
    return [name for name in names if HARMLESS.fullmatch(name)]


def project_argument(command: Command) -> Command:
    """Add the argument PROJECT to a command."""
    return click.argument("project", shell_complete=kept_projects)(command)


def project_option(command: Command) -> Command:
    """Add the required option --project to a command."""
    return click.option(
        "--project",
        "-p",
        envvar="AR_TARGETS_PROJECT",
        required=True,
        shell_complete=kept_projects,
        help="The project's id or name. Or set AR_TARGETS_PROJECT.",
    )(command)
