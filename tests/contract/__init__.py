"""What holds everywhere: credentials, permissions, imports, settings."""
