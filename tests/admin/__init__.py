"""The admin panel, through the whole WSGI stack."""
