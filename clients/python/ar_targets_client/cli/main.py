"""The command ``ar-targets`` and its subcommands."""

import click

from ..version import VERSION
from . import completion, login, member, project, target, token, user
from .failure import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION)
def cli() -> None:
    """Work with the projects and image targets of an ar_targets server.

    Begin with: ar-targets login --server URL

    \b
    Exit codes:
      0  all was done
      1  the server refused, a picture is not good enough, or something else failed
      2  the command line cannot be understood
      3  some of the images failed, the others were done
      4  the token or login is not valid, or not allowed to do that
      5  the server cannot be reached, or cannot answer
      130  interrupted
    """  # noqa: D301  # \b is click's sign to keep the lines as they are


cli.add_command(login.login)
cli.add_command(login.logout)
cli.add_command(login.status)
cli.add_command(user.user)
cli.add_command(project.project)
cli.add_command(member.member)
cli.add_command(token.token)
cli.add_command(target.target)
cli.add_command(completion.completion)
