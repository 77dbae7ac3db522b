"""``/api/login``."""

import time
from datetime import UTC, datetime, timedelta

import argon2
import jwt
import pytest
from sqlalchemy import update

from ..actors import PASSWORD
from ..client import at_once, faults
from ..tables import user as table

LOGIN = "/api/login"
GOOD = {"login": "olga", "password": PASSWORD}
WRONG = {"login": "olga", "password": "wrong"}
NOBODY = {"login": "nobody", "password": "wrong"}


def bearer(response):
    return {"Authorization": f"Bearer {response.json['token']}"}


@pytest.mark.parametrize("path", [LOGIN, LOGIN + "/"])
@pytest.mark.parametrize("login", ["olga", "OLGA"])
def test_good_credentials(app, owner, path, login):
    answer = app.post_json(path, {"login": login, "password": PASSWORD}, status=200)
    assert answer.json.keys() == {"token", "token_type", "expires_at"}
    assert answer.json["token_type"] == "Bearer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert app.get("/api/project", headers=bearer(answer)).json["items"] == []


@pytest.mark.parametrize(("settings", "seconds"), [({}, 43200), ({"login_token_ttl": 60}, 60)])
def test_the_token_expires_as_the_setting_says(make_app, owner, settings, seconds):
    answer = make_app(**settings).post_json(LOGIN, GOOD).json
    expires = datetime.fromisoformat(answer["expires_at"])
    assert abs(expires - datetime.now(UTC) - timedelta(seconds=seconds)) < timedelta(seconds=3)
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert claims["exp"] == expires.timestamp()
    assert "olga" not in str(claims)


def test_an_expired_token_is_no_credential(app, stage, owner):
    for seconds in (-1, -3600):
        token = stage.login_token(owner.id, seconds=seconds)
        app.get("/api/project", headers={"Authorization": f"Bearer {token}"}, status=401)


def test_several_tokens_live_beside_each_other(app, owner):
    first, second = app.post_json(LOGIN, GOOD), app.post_json(LOGIN, GOOD)
    for answer in (first, second):
        app.get("/api/project", headers=bearer(answer))


@pytest.mark.parametrize(
    "wrong",
    [
        WRONG,
        NOBODY,
        {"login": "olga", "password": ""},
        {"login": "", "password": ""},
        {"login": "olga", "password": PASSWORD.upper()},
        {"login": "olga", "password": PASSWORD + " "},
        {"login": "olga ", "password": PASSWORD},
        {"login": "ölga", "password": PASSWORD},
        {"login": "o" * 100_000, "password": "p" * 100_000},
    ],
)
def test_wrong_credentials_look_the_same(app, owner, wrong):
    refused = app.post_json(LOGIN, wrong, status=401)
    assert refused.json == app.post_json(LOGIN, NOBODY, status=401).json
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_wrong_credentials_take_about_the_same_time(app, owner):
    """In CPU time of this thread, which hashes: what else the machine does is not counted."""

    def quickest(body):
        times = []
        for _ in range(5):
            start = time.thread_time()
            app.post_json(LOGIN, body, status=401)
            times.append(time.thread_time() - start)
        return min(times)

    quickest(NOBODY)
    assert 0.5 < quickest(WRONG) / quickest(NOBODY) < 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"login": "body", "password": "body"}),
        ({"login": "olga"}, {"password": "body"}),
        ({"login": None, "password": 7}, {"login": "body", "password": "body"}),
        ({"login": ["olga"], "password": True}, {"login": "body", "password": "body"}),
        (GOOD | {"otp": "1"}, {"otp": "body"}),
        ({"login": "ol\0ga", "password": "\0"}, {"login": "body", "password": "body"}),
    ],
)
def test_bad_bodies(app, owner, body, named):
    assert faults(app.post_json(LOGIN, body, status=400)) == named


def test_a_deleted_user_cannot_log_in(app, owner):
    app.delete(owner.path)
    app.post_json(LOGIN, GOOD, status=401)


def test_an_administrator_can(app, administrator):
    answer = app.post_json(LOGIN, GOOD | {"login": "ada"})
    app.get(administrator.path, headers=bearer(answer))


def test_a_hash_of_older_parameters_is_renewed(app, stage, owner):
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with stage.engine.begin() as connection:
        connection.execute(update(table).values(password_hash=old))
    app.post_json(LOGIN, GOOD)
    renewed = stage.rows(table)[0]["password_hash"]
    assert renewed != old
    app.get("/api/project", headers=owner.headers)
    app.post_json(LOGIN, GOOD)
    assert stage.rows(table)[0]["password_hash"] == renewed


@pytest.mark.usefixtures("owner")
class TestThrottling:
    @pytest.fixture
    def app(self, make_app):
        return make_app(login_failures="3 per 1 minute")

    def fail(self, app, body=WRONG, times=3, **environ):
        for _ in range(times):
            app.post_json(LOGIN, body, extra_environ=environ, status=401)

    def test_after_too_many_failures_even_the_right_password_is_refused(self, app):
        self.fail(app)
        for body in (WRONG, GOOD, GOOD | {"login": "OLGA"}):
            refused = app.post_json(LOGIN, body, status=429)
            assert 1 <= int(refused.headers["Retry-After"]) <= 60
            assert "olga" not in refused

    def test_unknown_logins_count_too(self, app):
        self.fail(app, NOBODY)
        app.post_json(LOGIN, NOBODY, status=429)

    def test_other_logins_and_other_addresses_are_not_hindered(self, app, stage):
        stage.user("stefan")
        self.fail(app, REMOTE_ADDR="192.0.2.1")
        away = {"REMOTE_ADDR": "192.0.2.2"}
        app.post_json(LOGIN, GOOD, extra_environ={"REMOTE_ADDR": "192.0.2.1"}, status=429)
        app.post_json(LOGIN, GOOD | {"login": "stefan"}, extra_environ=away)
        app.post_json(LOGIN, GOOD, extra_environ=away)

    def test_an_ipv6_network_is_one_address(self, app):
        for last in range(3):
            self.fail(app, times=1, REMOTE_ADDR=f"2001:db8:0:1::{last}")
        for address, status in [
            ("2001:db8:0:1:ffff:ffff:ffff:ffff", 429),
            ("2001:db8:0:2::1", 200),
            ("::ffff:192.0.2.1", 200),
        ]:
            app.post_json(LOGIN, GOOD, extra_environ={"REMOTE_ADDR": address}, status=status)

    def test_an_ipv4_address_in_ipv6_is_itself(self, app):
        self.fail(app, REMOTE_ADDR="::ffff:192.0.2.1")
        app.post_json(LOGIN, GOOD, extra_environ={"REMOTE_ADDR": "192.0.2.1"}, status=429)
        app.post_json(LOGIN, GOOD, extra_environ={"REMOTE_ADDR": "::ffff:192.0.2.2"})

    @pytest.mark.parametrize("address", ["", "unix socket", "x" * 5000, "fe80::1%eth0", "é"])
    def test_what_is_no_address_is_counted_too(self, app, address):
        self.fail(app, REMOTE_ADDR=address)
        app.post_json(LOGIN, GOOD, extra_environ={"REMOTE_ADDR": address}, status=429)

    def test_a_forged_address_is_not_believed(self, app):
        self.fail(app)
        forged = {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"}
        app.post_json(LOGIN, GOOD, headers=forged, status=429)

    def test_successes_and_bad_bodies_do_not_count(self, app):
        for _ in range(4):
            app.post_json(LOGIN, GOOD)
            app.post_json(LOGIN, {"login": "olga"}, status=400)
        self.fail(app)
        app.post_json(LOGIN, GOOD, status=429)

    def test_guesses_at_once_do_not_slip_through(self, app):
        calls = 8 * [lambda own: own.post_json(LOGIN, WRONG, status="*")]
        assert at_once(app, calls) == 3 * [401] + 5 * [429]

    def test_tokens_already_out_stay_good(self, app, owner):
        self.fail(app)
        app.get("/api/project", headers=owner.headers)

    def test_it_passes(self, make_app):
        app = make_app(login_failures="2 per 3 second")
        self.fail(app, times=2)
        wait = int(app.post_json(LOGIN, GOOD, status=429).headers["Retry-After"])
        assert 1 <= wait <= 3
        time.sleep(wait + 0.1)
        app.post_json(LOGIN, GOOD)


@pytest.mark.usefixtures("owner")
class TestThrottlingOfAnAddress:
    """One that tries many logins."""

    @pytest.fixture
    def app(self, make_app):
        return make_app(login_failures_per_address="4 per 1 minute")

    def spray(self, app, number, **environ):
        """The statuses of wrong passwords, each for another login."""
        bodies = [{"login": f"user {n}", "password": "wrong"} for n in range(number)]
        return [
            app.post_json(LOGIN, body, extra_environ=environ, status="*").status_int
            for body in bodies
        ]

    def test_too_many_failures(self, app):
        assert self.spray(app, 6) == 4 * [401] + 2 * [429]
        refused = app.post_json(LOGIN, GOOD, status=429)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        app.post_json(LOGIN, GOOD, extra_environ={"REMOTE_ADDR": "192.0.2.2"}, status=200)

    def test_those_who_share_an_address_log_in_as_often_as_they_like(self, app):
        for _ in range(8):
            app.post_json(LOGIN, GOOD, status=200)
        assert self.spray(app, 3) == 3 * [401]
        app.post_json(LOGIN, GOOD, status=200)

    def test_an_account_of_ones_own_does_not_help(self, app):
        for _ in range(2):
            assert self.spray(app, 2) == 2 * [401]
            app.post_json(LOGIN, GOOD, status="*")
        assert self.spray(app, 1) == [429]

    def test_what_is_refused_for_the_login_does_not_count(self, make_app):
        rates = {"login_failures": "1 per 1 minute", "login_failures_per_address": "3 per 1 minute"}
        app = make_app(**rates)
        app.post_json(LOGIN, WRONG, status=401)
        for _ in range(5):
            app.post_json(LOGIN, WRONG, status=429)
        assert self.spray(app, 3) == [401, 401, 429]

    def test_off(self, make_app):
        app = make_app(login_failures_per_address="off")
        assert self.spray(app, 6) == 6 * [401]
