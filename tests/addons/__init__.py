"""Add-ons for Pyramid that an operator may switch on: each sees what the application does."""
