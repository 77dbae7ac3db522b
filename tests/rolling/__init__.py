"""A rolling upgrade: servers of the last release go on while the schema is this version's."""
