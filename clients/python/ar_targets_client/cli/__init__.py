"""``ar-targets``: the command line for people and scripts, one module per group of commands."""
