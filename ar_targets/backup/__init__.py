"""Backups: a dump by the database's own tool, compressed, with a manifest beside it.

`manifest` says what a backup holds, `directory` where backups are kept, `vendor` runs the
database's own programs, `create` and `restore` do the work, and `comparison` checks a database
against a manifest. ``ar_targets_backup`` is the command.
"""
