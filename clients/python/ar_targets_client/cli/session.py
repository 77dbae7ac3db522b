"""The options that commands share, and the API client that results from them."""

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from .. import Client, ClientError, Project, Retry
from ..claims import project_of
from ..names import folded
from ..targets import Targets
from ..transport import server_url
from .credentials import Credentials
from .output import note

Command = TypeVar("Command", bound=Callable[..., Any])
# Names that contain no shell metacharacters and do not look like an option.
HARMLESS = re.compile(r"\w[\w.@+-]*")
# Maximum number of projects that an error lists.
LISTED = 20
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

    def targets(self, project: str | None) -> Targets:
        """The targets of a project, with one of its tokens. Raises ClientError if there is none.

        ``project`` is an id or a name; None for that of the only token.
        """
        if self._token is not None:
            project_id = self._project_of_token(project, self._token)
            return self.client(self._token).targets(project_id)
        project_id = self._kept_project() if project is None else self.project_id(project)
        kept = self.credentials.projects(self.server).get(project_id)
        if kept is None:
            shown = project or project_id
            raise NotLoggedInError(
                f"no token of project {shown} is kept here: make one with "
                f"'ar-targets token add --keep {shown}', or set AR_TARGETS_TOKEN"
            )
        return self.client(kept["token"]).targets(project_id)

    def _project_of_token(self, project: str | None, token: str) -> int:
        """The project that a token, given with the command, is used for."""
        own = project_of(token)
        if project is None:
            if own is None:
                raise click.UsageError("The token is no project's: give one of a project.")
            note(f"Project {own}, whose token this is.")
            return own
        if is_id(project):
            return int(project)
        # The token may not ask for names, but others that are kept may.
        found = self._kept_id(project)
        if found is None and (login := self.credentials.login(self.server)):
            found = id_of(project, all_projects(self.client(login["token"])))
        if found is None:
            hint = "" if own is None else f", or leave it out: it is {own}"
            raise click.UsageError(f"The token cannot look up {project!r}: name the id{hint}.")
        return found

    def _kept_project(self) -> int:
        """The only project of which a token is kept. Raises ClientError."""
        kept = self.credentials.projects(self.server)
        if not kept:
            return self.project_id(None)
        if len(kept) > 1:
            names = ", ".join(f"{token['name']} ({number})" for number, token in kept.items())
            raise ClientError(f"name the project with --project: {names}")
        [(project_id, token)] = kept.items()
        note(f"Project {token['name']} ({project_id}), the only one with a token here.")
        return project_id

    def project_id(self, project: str | None) -> int:
        """The id of a project, given by id or name; None for the only one. Raises ClientError."""
        if project is None:
            return self._only_project()
        if is_id(project):
            return int(project)
        found = self._kept_id(project) or id_of(project, all_projects(self.user()))
        if found is None:
            raise ClientError(f"you have no project {project!r}; see 'ar-targets project list'")
        return found

    def _kept_id(self, project: str) -> int | None:
        """The id of a project of which a token is kept, by its name."""
        for project_id, kept in self.credentials.projects(self.server).items():
            if folded(kept["name"]) == folded(project):
                return project_id
        return None

    def _only_project(self) -> int:
        """The only project of the user who is logged in. Raises ClientError.

        Without an own one, the only one that is shared with the user.
        """
        client = self.user()
        found = list(itertools.islice(client.projects.list(), LISTED + 1))
        whose = "your only one"
        if not found:
            found = list(itertools.islice(client.projects.list(member=True), LISTED + 1))
            whose = "the only one that is shared with you"
        if not found:
            raise ClientError("you have no project: ar-targets project add NAME")
        if len(found) > 1:
            names = ", ".join(f"{each.name} ({each.id})" for each in found[:LISTED])
            more = ", …" if len(found) > LISTED else ""
            raise ClientError(f"name the project: {names}{more}")
        note(f"Project {found[0].name} ({found[0].id}), {whose}.")
        return found[0].id


class NotLoggedInError(ClientError):
    """There is no stored token to send."""


def is_id(project: str) -> bool:
    """Whether a project is given by its id."""
    return project.isdecimal() and project.isascii()


def all_projects(client: Client) -> Iterator[Project]:
    """The user's own projects, then those that others share."""
    yield from client.projects.list()
    yield from client.projects.list(member=True)


def id_of(name: str, projects: Iterable[Project]) -> int | None:
    """The id of the project with that name; None if there is none."""
    return next((each.id for each in projects if folded(each.name) == folded(name)), None)


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


def at_most_one(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> str | None:
    """Callback of an argument that may be left out before others."""
    if len(value) > 1:
        raise click.UsageError(f"Too many words: {' '.join(value[1:])}", ctx)
    return value[0] if value else None


def project_argument(command: Command) -> Command:
    """Add the argument PROJECT to a command; it may be left out, also before other arguments."""
    return click.argument(
        "project",
        # With a single optional word, click would take the first of the others for it.
        nargs=-1,
        metavar="[PROJECT]",
        callback=at_most_one,
        shell_complete=kept_projects,
    )(command)


def project_option(command: Command) -> Command:
    """Add the option --project to a command."""
    return click.option(
        "--project",
        "-p",
        envvar="AR_TARGETS_PROJECT",
        shell_complete=kept_projects,
        help="The project's id or name. Or set AR_TARGETS_PROJECT. May be left out where there "
        "is one token only.",
    )(command)
