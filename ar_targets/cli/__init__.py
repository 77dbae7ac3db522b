"""``ar-targets``: the command line for people and scripts, one module per group of commands."""

import sys


def main() -> None:
    """The console script. Its dependencies are an extra, which a server does not need."""
    try:
        from .main import cli  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("ar_targets"):
            raise
        sys.exit(
            f"ar-targets needs {missing.name}, which is not installed: "
            "pip install 'ar_targets[client]'"
        )
    cli(prog_name="ar-targets")
