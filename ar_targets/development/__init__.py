"""For working on ar_targets: a private database server, and one command that serves it all.

Nothing here runs in production, where the database belongs to an operator.
"""
