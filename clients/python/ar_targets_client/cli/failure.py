"""How a command fails: one line on standard error, and an exit status."""

import json
import sys
from typing import Any

import click

from ..display import plain
from ..errors import (
    ApiError,
    ClientError,
    ForbiddenError,
    OutcomeUnknownError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
)

FAILED = 1
SOME_FAILED = 3
NOT_ALLOWED = 4
NO_ANSWER = 5
INTERRUPTED = 130


def exit_code(error: BaseException) -> int:
    """The exit status for an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, UnauthorizedError | ForbiddenError | TooManyRequestsError):
        return NOT_ALLOWED
    if isinstance(error, UnreachableError | OutcomeUnknownError | UnavailableError):
        return NO_ANSWER
    return FAILED


class Commands(click.Group):
    """The root group of commands: turns errors of the client into messages and exit statuses."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click's own, with exit status 130 for Ctrl-C."""
        try:
            code = super().main(*args, **kwargs | {"standalone_mode": False})
        except click.exceptions.Abort:
            click.echo("Interrupted.", err=True)
            code = INTERRUPTED
        except click.ClickException as wrong:
            wrong.show()
            code = wrong.exit_code
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a ClientError is printed and determines the exit status."""
        try:
            return super().invoke(ctx)
        except ClientError as error:
            tell(error, as_json=bool(ctx.meta.get("as_json")))
            ctx.exit(exit_code(error))


def tell(error: ClientError, *, as_json: bool) -> None:
    """Print an error on standard error."""
    if as_json:
        click.echo(json.dumps({"error": described(error)}), err=True)
    elif isinstance(error, UnauthorizedError) and "Authorization" in error.fields:
        click.echo(
            "Error: the token is not valid, or no longer. A user's: ar-targets login; "
            f"a project's: ar-targets token extend, or add. {plain(str(error))}",
            err=True,
        )
    else:
        click.echo(f"Error: {plain(str(error))}", err=True)


def described(error: ClientError) -> dict[str, Any]:
    """An error as JSON, for scripts."""
    if not isinstance(error, ApiError):
        return {"message": str(error)}
    return {
        "message": error.message,
        "status": error.status,
        "request_id": error.request_id,
        "errors": [vars(fault) for fault in error.faults],
    }
