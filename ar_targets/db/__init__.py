"""The way to the database: engines and their pools, sessions, and what all tables share."""
