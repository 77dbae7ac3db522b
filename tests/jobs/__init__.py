"""Workers, and how they share what is to be done."""
