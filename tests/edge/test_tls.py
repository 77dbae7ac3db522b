"""HTTPS with a certificate of our own making, and the way to it."""

import http.client
import json
import socket
import ssl
import subprocess

import pytest

from ..functional.test_server import JSON
from .nginx import HTTPS, nginx

NAME = "ar.example.org"
YEAR = "max-age=31536000"


@pytest.fixture(scope="module")
def edge(server, tmp_path_factory):
    """With certificate and key where certbot would put them."""
    directory = tmp_path_factory.mktemp("nginx")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={NAME}"),
            *("-addext", f"subjectAltName=DNS:{NAME}"),
            *("-keyout", str(directory / "privkey.pem")),
            *("-out", str(directory / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
    )
    with nginx(directory, server.port, sites=HTTPS) as started:
        yield started


def context(edge, **options):
    """What a client believes: this certificate alone."""
    made = ssl.create_default_context(cafile=edge.directory / "fullchain.pem")
    for name, option in options.items():
        setattr(made, name, option)
    return made


def connect(edge, **options):
    """A connection over TLS."""
    plain = socket.create_connection(("127.0.0.1", edge.https_port), timeout=20)
    return context(edge, **options).wrap_socket(plain, server_hostname=NAME)


def ask(edge, method, path, body=None, **headers):
    """Send a request; status, headers and body of the answer."""
    connection = http.client.HTTPConnection(NAME)
    connection.sock = connect(edge)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    try:
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_urls_are_https(edge, rows_removed):
    body = json.dumps({"login": "nora", "password": "eight ch"})
    status, headers, _ = ask(edge, "POST", "/api/user", body, **JSON)
    assert status == 201
    assert headers["Location"].startswith(f"https://{NAME}/api/user/")


def test_browsers_are_told_to_come_by_https(edge):
    for path in ("/api/zoo", "/health/live", "/.edge/404", "/api/docs/"):
        assert ask(edge, "GET", path)[1].get_all("Strict-Transport-Security") == [YEAR]
    assert ask(edge, "DELETE", "/api/zoo")[1].get_all("Strict-Transport-Security") == [YEAR]


def test_http_leads_to_https(edge):
    status, headers, _ = edge.ask("POST", "/api//a%2Fb?c=d", b"{}", Host=f"{NAME}:80")
    assert status == 308
    assert headers["Location"] == f"https://{NAME}/api//a%2Fb?c=d"
    assert headers["Server"] == "nginx"
    assert "Strict-Transport-Security" not in headers


def test_the_authority_finds_what_it_asks_for(edge):
    place = edge.directory / "acme/.well-known/acme-challenge"
    place.mkdir(parents=True)
    (place / "token").write_text("proof")
    assert edge.ask("GET", "/.well-known/acme-challenge/token")[2] == b"proof"
    assert edge.ask("GET", "/.well-known/acme-challenge/other")[0] == 404


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_that_are_taken(edge, version):
    with connect(edge, minimum_version=version, maximum_version=version) as connection:
        assert connection.version() == version.name.replace("v1_", "v1.")
        # Each side has a key for this connection alone.
        assert connection.cipher()[0].startswith(("ECDHE-", "TLS_"))


def test_old_versions_are_not(edge):
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{edge.https_port}"),
            *("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"),
        ],
        input=b"",
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert b"alert" in done.stderr


def test_http2_is_offered(edge):
    made = context(edge)
    made.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", edge.https_port), timeout=20) as plain,
        made.wrap_socket(plain, server_hostname=NAME) as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"


def test_http_where_https_belongs_is_a_400(edge):
    with socket.create_connection(("127.0.0.1", edge.https_port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nContent-Type: application/json\r\n" in said
    assert json.loads(said.partition(b"\r\n\r\n")[2])["status"] == "error"
