"""What each resource does, through WebTest on a real database."""
