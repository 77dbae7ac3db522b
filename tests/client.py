"""A WebTest client that holds every response of every test against what holds everywhere.

That is the contract's common rules, and the API's own description.
"""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import webtest

from .description import description_of

# What no answer may carry: traces, SQL, hashes, names of columns that are nobody's business.
FORBIDDEN = re.compile(
    r"Traceback|File \"/|sqlalchemy|pymysql|\bSELECT\b|\bINSERT\b|\bUPDATE\b|\$argon2|"
    r"password_hash|password_version|is_admin|is_deleted|_key\"|revision",
    re.IGNORECASE,
)
# What a status is not complete without.
HEADERS_OF = {
    201: "Location",
    401: "WWW-Authenticate",
    405: "Allow",
    416: "Content-Range",
    429: "Retry-After",
    503: "Retry-After",
}


class Client(webtest.TestApp):
    """``app`` in the tests."""

    def do_request(self, req, status=None, expect_errors=None):
        # Asked for before a slash is taken off its end.
        address = req.environ["PATH_INFO"]
        response = super().do_request(req, status, expect_errors)
        check(response)
        description_of(self.app).check(response, address)
        return response

    def call(self, method, path, body=None, *, who=None, status=None, **headers):
        """Send any method as any actor; ``if_match=…`` becomes the header ``If-Match``.

        The body is JSON, or bytes, which are a JPEG where no header says otherwise.
        """
        sent = {name.replace("_", "-").title(): value for name, value in headers.items()}
        sent |= who.headers if who else {}
        if body is None:
            return self.request(path, method=method, headers=sent, status=status)
        if isinstance(body, bytes):
            sent = {"Content-Type": JPEG, **sent}
            return self.request(path, method=method, body=body, headers=sent, status=status)
        return self._gen_request(
            method, path, webtest.utils.dumps(body), sent, None, status, None, False, JSON
        )

    @property
    def registry(self) -> Any:
        """The registry of the Pyramid application."""
        return self.app.registry


JSON, JPEG = "application/json", "image/jpeg"


def check(response) -> None:
    """What holds for every response."""
    assert re.fullmatch(r"[A-Za-z0-9._:+/=@-]{1,128}", response.headers["X-Request-ID"])
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    if needed := HEADERS_OF.get(response.status_int):
        assert response.headers[needed]
    if response.status_int in (204, 304):
        assert response.body == b""
    elif response.content_type in (JSON, "text/html"):
        assert not FORBIDDEN.search(response.text)
    if response.status_int >= 400:
        assert response.headers["Content-Type"] == JSON
        if response.request.method != "HEAD":
            check_error(response.json)


def check_error(body) -> None:
    """The shape of every error; beside it may be what a picture resembles."""
    assert {"status", "errors"} <= body.keys() <= {"status", "errors", "similar"}
    assert body["status"] == "error"
    assert body["errors"]
    for error in body["errors"]:
        assert error.keys() == {"location", "name", "description"}
        assert all(isinstance(text, str) for text in error.values())
        assert error["description"]


def faults(response) -> dict[str, str]:
    """The names at fault in an error, each with its location."""
    return {error["name"]: error["location"] for error in response.json["errors"]}


def at_once(app, calls):
    """The statuses of calls that start together, each in a thread of its own, sorted."""
    start = threading.Barrier(len(calls))

    def run(call):
        own = Client(app.app)
        start.wait()
        return call(own).status_int

    with ThreadPoolExecutor(len(calls)) as threads:
        return sorted(threads.map(run, calls))
