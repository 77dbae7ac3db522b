"""TLS to the database: whose certificate is taken, by each driver and by the vendor's programs."""

import importlib.util
import re
import secrets

import pymysql
import pytest

from ar_targets.db.engine import make_engine
from ar_targets.development.database import PrivateDatabase
from ar_targets.scripts import backup, initdb, purge
from ar_targets.settings import PREFIX, load

from ..certificates import DAY, Authority
from ..client import check_error
from ..conftest import KEY, build
from ..ports import free_port

HOST = "127.0.0.1"
USER, PASSWORD = "ann", "pass word"
DRIVERS = ["mysql+pymysql", "mysql+mariadbconnector", "mariadb+mariadbconnector"]


class Server:
    """A database that listens on a port; its certificate can be replaced."""

    def __init__(self, directory, certificate=None):
        self.port, self.files = free_port(), (directory / "crt.pem", directory / "key.pem")
        tls = ["--skip-ssl"]
        if certificate is not None:
            self.show(certificate)
            tls = [f"--ssl-cert={self.files[0]}", f"--ssl-key={self.files[1]}"]
        network = ("--skip-networking=0", f"--port={self.port}", f"--bind-address={HOST}")
        self.database = PrivateDatabase(
            directory / "database", durable=False, options=(*network, *tls)
        )

    def __enter__(self):
        self.database.start()
        self.database.create_database("ar")
        self.tell(f"CREATE USER {USER}@'{HOST}' IDENTIFIED BY '{PASSWORD}'")
        self.tell(f"GRANT ALL ON *.* TO {USER}@'{HOST}'")
        return self

    def __exit__(self, *_):
        self.database.stop()

    def tell(self, statement):
        with (
            pymysql.connect(unix_socket=self.database.socket, user="root") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    def show(self, certificate):
        for file, content in zip(self.files, certificate, strict=True):
            file.write_bytes(content)

    def replace(self, certificate):
        self.show(certificate)
        self.tell("FLUSH SSL")

    def url(self, driver, query=""):
        return f"{driver}://{USER}:{PASSWORD}@{HOST}:{self.port}/ar{query}"


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    directory = tmp_path_factory.mktemp("authorities")
    return Authority(directory, "right"), Authority(directory, "wrong")


@pytest.fixture(scope="module")
def right(authorities):
    """The certificate that is shown unless a test says otherwise."""
    return authorities[0].certify(HOST)


@pytest.fixture(scope="module")
def server(tmp_path_factory, right):
    with Server(tmp_path_factory.mktemp("tls"), right) as started:
        yield started


@pytest.fixture(params=DRIVERS)
def driver(request):
    if "mariadb" in request.param and not importlib.util.find_spec("mariadb"):
        pytest.skip("MariaDB's connector is not installed")
    return request.param


@pytest.fixture
def verifying(server, authorities, driver):
    """The URL that operators are told to write."""
    return server.url(driver, f"?ssl_ca={authorities[0].file}")


def settings(url):
    return load({PREFIX + "database_url": url, PREFIX + "jwt_keys": KEY})


def cipher(url):
    """With which a connection is encrypted; empty if it is not."""
    engine = make_engine(settings(url))
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").fetchone()[1]
    finally:
        engine.dispose()


@pytest.mark.parametrize("more", ["", "&ssl_verify_cert=true"])
def test_a_verified_connection(server, right, verifying, more, script_on, tmp_path):
    server.replace(right)
    assert cipher(verifying + more).startswith("TLS_")
    assert script_on(verifying + more, initdb.main).code == 0
    app = build(verifying + more)
    try:
        app.get("/health/ready", status=200)
        user = {"login": secrets.token_hex(8), "password": "eight ch"}
        app.call("POST", "/api/user", user, status=201)
    finally:
        app.registry.engine.dispose()
        app.registry.read_engine.dispose()
    done = script_on(verifying + more, backup.main, "create", str(tmp_path))
    assert done.code == 0, done.err


def refusals(url, script_on, tmp_path, reason):
    """That nobody talks to the server, and all say why."""
    app = build(url)
    try:
        answer = app.get("/api/user", status=503)
        assert answer.headers["Retry-After"]
        check_error(answer.json)
        app.call("POST", "/api/login", {"login": "n", "password": "eight ch"}, status=503)
        app.get("/health/ready", status=503)
        app.get("/health/live", status=200)
    finally:
        app.registry.engine.dispose()
        app.registry.read_engine.dispose()
    for main, *arguments in [(purge.main,), (backup.main, "create", str(tmp_path))]:
        done = script_on(url, main, *arguments)
        assert done.code == 1
        assert re.search(reason, done.err.splitlines()[-1])
        assert "Traceback" not in done.err
    assert list(tmp_path.glob("ar*")) == []


OTHER_NAME = "IP address mismatch|Validation of SSL server certificate failed"
REFUSED = {
    # Of the two authorities, whose it is; what it says; and what is said of it.
    "another authority": (1, HOST, DAY, "unable to get local issuer certificate"),
    "another host": (0, "db.example", DAY, OTHER_NAME),
    "another address": (0, "127.0.0.2", DAY, OTHER_NAME),
    "expired": (0, HOST, -DAY, "certificate has expired"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_certificate_that_is_refused(server, authorities, verifying, case, script_on, tmp_path):
    whose, host, ends_in, reason = REFUSED[case]
    server.replace(authorities[whose].certify(host, ends_in=ends_in))
    refusals(verifying, script_on, tmp_path, reason)


def test_a_server_without_tls_is_refused(tmp_path, authorities, driver, script_on):
    """Rather than to be told the password in clear."""
    with Server(tmp_path) as server:
        assert cipher(server.url(driver)) == ""
        (tmp_path / "backups").mkdir()
        url = server.url(driver, f"?ssl_ca={authorities[0].file}")
        refusals(url, script_on, tmp_path / "backups", "SSL is required")


def test_what_nobody_verifies(server, authorities, driver):
    """Where the URL says so; and without a word about TLS, PyMySQL takes what there is."""
    server.replace(authorities[1].certify("db.example"))
    assert bool(cipher(server.url(driver))) == ("pymysql" in driver)


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("?ssl_ca=/nowhere/ca.pem", "/nowhere/ca.pem"),
        ("?ssl_verify_cert=true", "ssl_ca"),
        ("?ssl=true", "ssl_ca"),
    ],
)
def test_a_url_that_cannot_verify_is_refused_at_once(server, query, what, script_on):
    # Python prints the text of a SystemExit.
    (line,) = str(script_on(server.url("mysql+pymysql", query), purge.main).code).splitlines()
    assert what in line
    assert PASSWORD not in line
