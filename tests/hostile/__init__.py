"""Input that means harm, and people who have no business here."""
