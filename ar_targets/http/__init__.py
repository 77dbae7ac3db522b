"""Shared by all views: bodies, conditional requests, pagination, tweens, execution policy."""
