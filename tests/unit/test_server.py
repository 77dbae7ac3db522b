"""What ``[server:main]`` may say."""

import logging
import os
import socket
import subprocess
import sys

import pytest

from ar_targets import address
from ar_targets.address import Address
from ar_targets.server import THREADS, Options, is_loopback, read_options
from ar_targets.settings import SettingsError

from ..conftest import INI, KEY


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:6543", "127.0.0.1", 6543),
        ("[::1]:80", "::1", 80),
        ("*:6543", "0.0.0.0", 6543),
        (":6543", "0.0.0.0", 6543),
        ("localhost:1", "localhost", 1),
    ],
)
def test_addresses(listen, host, port):
    assert read_options({"listen": listen}, None, None) == Options(host, port, 1, THREADS)


def test_settings_of_the_application_win():
    given = {"listen": "0.0.0.0:80", "workers": "2", "threads": "9"}
    assert read_options(given, "127.0.0.1:81", 3) == Options("127.0.0.1", 81, 3, 9)
    assert read_options(given, None, None) == Options("0.0.0.0", 80, 2, 9)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("listen", "6543"),
        ("listen", "127.0.0.1:80 127.0.0.1:81"),
        ("workers", "0"),
        ("workers", "two"),
        ("threads", "-1"),
    ],
)
def test_what_cannot_be_used_stops_the_start(name, text):
    with pytest.raises(SettingsError, match=rf"^\[server:main\] {name}: it must be [^\n]+$"):
        read_options({name: text}, None, None)


def test_an_option_that_is_gone_is_told_in_one_line(caplog):
    given = {"request_timeout": "30", "connection_limit": "100"}
    with caplog.at_level(logging.WARNING):
        assert read_options(given, None, None).workers == 1
    assert sorted(caplog.messages) == [
        f"[server:main] {name}: there is no such option any more; it is the proxy's, or granian's"
        for name in sorted(given)
    ]


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        *[("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)],
        *[("0.0.0.0", False), ("10.0.0.1", False), ("::", False), ("ar.example.org", False)],
    ],
)
def test_loopback(host, answer):
    assert is_loopback(host) is answer


def test_a_port_that_is_taken_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(address, "PORT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^\[server:main\] listen: port {port} is taken"):
            address.require_free(Address("127.0.0.1", port))
    address.require_free(Address("127.0.0.1", port))


def test_pserve_of_the_development_server_tells_it_too(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        ini = tmp_path / "development.ini"
        ini.write_text(INI.read_text().replace("127.0.0.1:6543", taken))
        environ = {"AR_TARGETS_DATABASE_URL": "mysql+pymysql://x@127.0.0.1:9/x"}
        environ |= {"AR_TARGETS_JWT_KEYS": KEY}
        done = subprocess.run(
            [sys.executable, "-m", "pyramid.scripts.pserve", str(ini)],
            env=os.environ | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert f"port {taken.partition(':')[2]} is taken" in done.stderr
    assert "Traceback" not in done.stderr
