"""Password hashes."""

from ar_targets import passwords


def test_round_trip():
    hashed = passwords.hash_password("correct horse")
    assert hashed.startswith("$argon2id$")
    assert passwords.matches("correct horse", hashed)
    assert not passwords.matches("correct horse ", hashed)
    assert not passwords.outdated(hashed)


def test_nobody_has_no_password():
    assert not passwords.matches("", None)


def test_outdated():
    weaker = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$8VX0h1f7bRPVSXBgDvAEaQ"
    assert passwords.outdated(weaker)
