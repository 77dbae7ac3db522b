"""The options that commands share, and the client that follows from them."""

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from ..client import Client, ClientError, Retry
from ..client.targets import Targets
from ..client.transport import server_url
from .credentials import Credentials
from .output import note

Command = TypeVar("Command", bound=Callable[..., Any])
# Letters, digits, and what no shell takes for anything else; no option, either.
HARMLESS = re.compile(r"\w[\w.@+-]*")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Session:
    """One command's way to the server."""

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
        """The server that was named, else the one of the last login."""
        named = self._named_server or self.credentials.server
        if named is None:
            raise click.UsageError("Name the server: --server URL, or AR_TARGETS_SERVER.")
        url = server_url(named)
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            note(f"Warning: {url} is not encrypted; passwords and tokens can be read on the way.")
        return url

    def client(self, token: str | None) -> Client:
        """A client with this token or none."""
        retry = Retry(attempts=self._retries + 1)
        return Client(self.server, token, retry=retry, on_wait=self._tell_wait)

    def _tell_wait(self, seconds: float, failure: ClientError) -> None:
        note(f"{failure}; trying again in {seconds:.1f} s")

    def anyone(self) -> Client:
        """A client for what needs no token; with one, where there is one."""
        login = self.credentials.login(self.server)
        return self.client(self._token or (login["token"] if login else None))

    def user(self) -> Client:
        """A client with a user's token. Raises ClientError without one."""
        login = self.credentials.login(self.server)
        if self._token is None and login is None:
            raise NotLoggedInError(f"you are not logged in at {self.server}: ar-targets login")
        return self.client(self._token or (login or {})["token"])

    def targets(self, project: str) -> Targets:
        """The targets of a project, with a token of it. Raises ClientError without one."""
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
        """The id of a project that is named by its id or its name. Raises ClientError."""
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
    """No token is there to send."""


def with_session(command: Command) -> Command:
    """Give a command the shared options, and the session as its first argument."""

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
    """Shell completion: the projects of which tokens are kept, without asking the server.

    The server chose their names, and the shell takes what is completed as if it had been
    typed: names that mean something to it are left out.
    """
    try:
        credentials = Credentials()
        kept = credentials.projects(credentials.server or "")
    except ClientError:
        return []
    names = [token["name"] for token in kept.values() if token["name"].startswith(incomplete)]
    return [name for name in names if HARMLESS.fullmatch(name)]


def project_argument(command: Command) -> Command:
    """Give a command the argument PROJECT."""
    return click.argument("project", shell_complete=kept_projects)(command)


def project_option(command: Command) -> Command:
    """Give a command the option --project, which it needs."""
    return click.option(
        "--project",
        "-p",
        envvar="AR_TARGETS_PROJECT",
        required=True,
        shell_complete=kept_projects,
        help="The project's id or name. Or set AR_TARGETS_PROJECT.",
    )(command)
