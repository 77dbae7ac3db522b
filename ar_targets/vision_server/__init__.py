"""``ar_targets_vision``: the process that answers what needs pictures at once."""
