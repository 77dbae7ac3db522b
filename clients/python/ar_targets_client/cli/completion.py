"""``ar-targets completion``: prints a script for shell completion."""

import click
from click.shell_completion import get_completion_class

COMMAND = "ar-targets"
VARIABLE = "_AR_TARGETS_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands, options and projects.

    For bash, into ~/.bashrc: eval "$(ar-targets completion bash)"
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(made(ctx.find_root().command, {}, COMMAND, VARIABLE).source())
