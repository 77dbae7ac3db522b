"""Authentication and authorization: security policy, JWTs, passwords, login and rate limits."""
