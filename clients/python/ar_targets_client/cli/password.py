"""Passwords: prompted for without echo, or read from standard input; never an argument."""

import sys

import click

option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input's first line."
)


def read(*, from_stdin: bool, confirm: bool = False) -> str:
    """Read the password. Raises UsageError if there is no terminal to prompt at."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for the password: --password-stdin")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True)
    return password
