"""For working on ar_targets: a private database server, and one command that starts everything.

Nothing here is used in production.
"""
