"""Cornice services: read the context and the validated body, return a representation."""
