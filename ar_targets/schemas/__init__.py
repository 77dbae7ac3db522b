"""Schemas of request bodies, in colander; they use neither the request nor the database."""
