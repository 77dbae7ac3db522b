"""What passes through the edge unchanged, what is compressed, and what is noted."""

import gzip
import hashlib
import json
import re
import socket
import time

import pytest

from ..pictures import base64_of
from .test_attack import photograph
from .test_errors import OK, edge_before

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api//user",
        "/api/user/",
        "/api/user//",
        "/a%2Fb",
        "/a/%2e%2e/b",
        "/a/../b",
        "/./a",
        "/%61",
        "/a%20b?c=d%20e&&f",
        "/a%25?",
        "/%ff%fe",
        "/a;b=c",
        "/admin/assets/..%2f..%2fx",
        "/admin/assets/%2e%2e/api/x",
        "/api/docs/../user",
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_path_goes_on_as_it_came(tmp_path, method, path):
    with edge_before(tmp_path, OK) as (edge, (server,)):
        edge.ask(method, path)
        (request,) = server.requests
    assert request.startswith(f"{method} {path} HTTP/1.1\r\n".encode())


def test_what_the_application_is_told(tmp_path):
    forged = {
        "Host": "ar.example:99",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=192.0.2.1",
        "X_Forwarded_Host": "evil.example",
        "Expect": "nothing",
        "Connection": "X-Request-ID",
        "X-Request-ID": "mine",
    }
    with edge_before(tmp_path, OK) as (edge, (server,)):
        edge.say(
            b"GET / HTTP/1.1\r\n"
            + "".join(f"{name}: {text}\r\n" for name, text in forged.items()).encode()
            + b"\r\n\r\n"[2:]
            + b"GET / HTTP/1.0\r\n\r\n"
        )
        told = [
            dict(re.findall(r"(?m)^([\w-]+): (.*?)\r$", one.decode())) for one in server.requests
        ]
    assert told[0] == {
        "Host": "ar.example:99",
        "X-Request-ID": "mine",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "ar.example:99",
    }
    assert told[1]["Host"] == told[1]["X-Forwarded-Host"] == f"127.0.0.1:{edge.port}"


def test_another_proxy_in_front_is_believed_if_it_is_named(tmp_path):
    named = {
        "# 192.0.2.0/24 1;": "127.0.0.9 1;",
        "# set_real_ip_from 192.0.2.0/24;": "set_real_ip_from 127.0.0.9;",
        "# real_ip_header": "real_ip_header",
        "# real_ip_recursive": "real_ip_recursive",
    }
    said = b"GET / HTTP/1.0\r\nHost: x\r\nX-Forwarded-Proto: https\r\n"
    said += b"X-Forwarded-For: 203.0.113.7, 198.51.100.4\r\n\r\n"
    with edge_before(tmp_path, OK, changes=named) as (edge, (server,)):
        for address in ("127.0.0.9", "127.0.0.1"):
            with socket.create_connection(("127.0.0.1", edge.port), 20, (address, 0)) as one:
                one.sendall(said)
                assert one.recv(65536)
        first, second = server.requests
    assert b"\r\nX-Forwarded-For: 198.51.100.4\r\nX-Forwarded-Proto: https\r\n" in first
    assert b"\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n" in second


def test_a_body_in_chunks_has_a_length_for_the_application(tmp_path):
    with edge_before(tmp_path, OK) as (edge, (server,)):
        assert edge.ask("POST", "/", iter([b"a" * 9, b"b" * 9]))[0] == 200
        assert b"Content-Length: 18\r\n" in server.requests[0]
        assert b"chunked" not in server.requests[0]


def test_images_pass_in_both_directions(edge, project, write_token):
    data = photograph(9 * 2**20)
    body = json.dumps({"image": base64_of(data)})
    headers = write_token.headers
    status, answered, said = edge.ask("POST", project.targets, body, **JSON, **headers)
    assert status == 201
    path = f"{project.targets}/{json.loads(said)['id']}/image"
    assert answered["Location"] == f"http://127.0.0.1:{edge.port}{path.removesuffix('/image')}"
    status, answered, said = edge.ask("GET", path, **headers)
    assert (status, said) == (200, data)
    tag = f'"{hashlib.sha256(data).hexdigest()}"'
    assert answered["ETag"] == tag
    assert answered["Accept-Ranges"] == "bytes"
    assert edge.ask("GET", path, If_None_Match=tag, **headers)[0] == 304
    status, answered, said = edge.ask("GET", path, Range="bytes=5-14", **headers)
    assert (status, said) == (206, data[5:15])
    assert answered["Content-Range"] == f"bytes 5-14/{len(data)}"
    assert edge.ask("GET", path, Range="bytes=99000000-", **headers)[0] == 416
    status, answered, said = edge.ask("HEAD", path, **headers)
    assert (status, answered["Content-Length"], said) == (200, str(len(data)), b"")


def test_each_method_passes(edge, target, write_token):
    body = json.dumps({"description": "a gate"})
    assert edge.ask("OPTIONS", target.path)[0] == 204
    assert edge.ask("PATCH", target.path, body, **JSON, **write_token.headers)[0] == 200
    assert edge.ask("PUT", target.path, body, **JSON, **write_token.headers)[0] == 400
    assert edge.ask("DELETE", target.path, **write_token.headers)[0] == 204
    assert edge.ask("GET", target.path, **write_token.headers)[0] == 404


def test_metrics_are_not_for_those_outside(edge):
    for path in ("/metrics", "/metrics/", "/%6detrics"):
        status, _, body = edge.ask("GET", path)
        assert status == 403
        assert b"not through a proxy" in body


PAGE = re.compile(rb'(?:href|src)="(/[^"]+\.(?:css|js|svg)[^"]*)"')


@pytest.mark.parametrize("page", ["/api/docs", "/admin/login/"])
def test_static_files_are_compressed(edge, page):
    found = {"/api/openapi.json"} | {
        one.decode().replace("&amp;", "&") for one in PAGE.findall(edge.ask("GET", page)[2])
    }
    assert found
    for path in found:
        plain = edge.ask("GET", path)
        packed = edge.ask("GET", path, Accept_Encoding="gzip")
        assert plain[0] == packed[0] == 200
        assert "Content-Encoding" not in plain[1]
        if len(plain[2]) >= 1024:
            assert "Accept-Encoding" in (packed[1]["Vary"] or ""), path
            assert packed[1]["Content-Encoding"] == "gzip"
            assert len(packed[2]) < len(plain[2]) * 0.7
            assert gzip.decompress(packed[2]) == plain[2]
        if tag := packed[1]["ETag"]:
            again = edge.ask("GET", path, Accept_Encoding="gzip", If_None_Match=tag)
            assert again[0] == 304


def test_what_may_hold_a_token_is_not(edge, owner, project, stage):
    """By the length of a compressed answer, who can add to it could guess what else it holds."""
    for _ in range(20):
        stage.app(project)
    status, headers, body = edge.ask("GET", project.tokens, Accept_Encoding="gzip", **owner.headers)
    assert status == 200
    assert len(body) > 2048
    assert "Content-Encoding" not in headers


def logged(edge, request_id):
    """The lines about a request, which is logged a moment after its answer."""
    deadline = time.monotonic() + 5
    while request_id not in edge.log():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    lines = [json.loads(line) for line in edge.log().splitlines()]
    return [line for line in lines if line["request_id"] == request_id]


def test_the_log_has_a_line_of_json_for_each_request(edge, owner):
    said = edge.ask("GET", "/api/zoo%20?token=secret", X_Request_ID="log-me", **owner.headers)[0]
    assert said == 404
    edge.say(b"GET /?token=secret HTTP/1.1\r\n\r\n")
    (line,) = logged(edge, "log-me")
    assert line["path"] == "/api/zoo%20"
    assert (line["status"], line["upstream_status"], line["method"]) == (404, "404", "GET")
    assert line["address"] == "127.0.0.1"
    assert "secret" not in edge.log()
    assert owner.token not in edge.log()


@pytest.mark.parametrize("ending", ["/", "", "/?next=x"])
def test_the_log_has_no_secret_of_a_link_for_a_password(edge, ending):
    asked = f"link{len(ending)}"
    edge.ask("GET", f"/admin/password/a-secret{ending}", X_Request_ID=asked)
    (line,) = logged(edge, asked)
    assert line["path"] == "/admin/password/*"
    assert "a-secret" not in edge.log()


def test_the_log_says_for_whom_such_a_link_is_made(edge):
    edge.ask("POST", "/admin/password/make/12/", X_Request_ID="made")
    assert [line["path"] for line in logged(edge, "made")] == ["/admin/password/make/12/"]


def test_uploads_that_are_slow_take_no_thread(edge, owner):
    """More of them than the application has threads; it hears of none before it is whole."""
    head = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
    head += b"Content-Type: application/json\r\n\r\n{"
    begun = [socket.create_connection(("127.0.0.1", edge.port)) for _ in range(200)]
    for one in begun:
        one.sendall(head)
    time.sleep(0.3)
    # Within the twenty seconds that this client waits; nginx gives none of these up before thirty.
    assert edge.ask("GET", "/api/project", **owner.headers)[0] == 200
    for one in begun:
        one.close()
