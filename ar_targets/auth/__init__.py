"""Who is asking: the security policy, JWTs, passwords, login, and limits on guessing them."""
