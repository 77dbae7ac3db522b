"""Benchmark of the server: ``make bench``. Needs wrk, and a MariaDB or MySQL server.

It starts a private database with the usual durability and the server with
``production.ini``, and for each workload runs wrk in a closed loop on the same machine.
It prints requests per second, latencies, and the CPU time of server and database per
request, which hardly changes when other programs use the machine.
"""

import base64
import contextlib
import http.client
import io
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from ar_targets.development.database import PrivateDatabase

ROOT = Path(__file__).parents[1]
ADDRESS = "127.0.0.1:6544"
SECONDS, CONNECTIONS = 5, 16
LISTED_ROWS = 100_000
BOUNDARY = b"----boundary"
TICKS = os.sysconf("SC_CLK_TCK")

# wrk's Lua script. COUNTER in the body becomes a number for each request.
SCRIPT = """
wrk.method = "{method}"
wrk.body = io.open("{body}"):read("*a")
wrk.headers["Authorization"] = "Bearer {token}"
wrk.headers["Content-Type"] = "{media_type}"
{more}
local n, base = 0, wrk.body
if base:find("COUNTER") then
  request = function()
    n = n + 1
    return wrk.format(nil, nil, nil, (base:gsub("COUNTER", "{salt}-" .. n)))
  end
end
done = function(summary)
  local wrong = summary.errors.status + summary.errors.timeout + summary.errors.read
  print("WRONG " .. wrong)
end
"""


def call(method: str, path: str, body: object = None, token: str = "") -> Any:
    """Send one request; the parsed JSON response. Exits on an error status."""
    connection = http.client.HTTPConnection(ADDRESS, timeout=30)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status >= 300:
        sys.exit(f"{method} {path}: {answer.status} {data[:200]!r}")
    return json.loads(data)


class Work(NamedTuple):
    """A workload: one request, sent again and again."""

    method: str
    path: str
    token: str
    # JSON, or bytes.
    body: object = None
    media_type: str = "application/json"
    # Further lines of wrk's script.
    more: str = ""


def jpeg(size: int) -> bytes:
    """A noisy JPEG of about ``size`` bytes."""
    side, data = 400, b""
    for _ in range(5):
        out = io.BytesIO()
        Image.effect_noise((side, side), 60).convert("RGB").save(out, "JPEG", quality=85)
        data = out.getvalue()
        side = round(side * (size / len(data)) ** 0.5)
    return data


def in_json(image: bytes) -> dict[str, str]:
    """The body of an upload as JSON."""
    return {"image": base64.b64encode(image).decode()}


def in_form(image: bytes) -> bytes:
    """The body of an upload as a form."""
    head = b'Content-Disposition: form-data; name="image"; filename="a.jpg"'
    return b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (BOUNDARY, head, image, BOUNDARY)


@contextlib.contextmanager
def server(directory: Path) -> Iterator[tuple[int, str]]:
    """Start a database and the server, migrated; yields the server's process id and the URL."""
    ini = directory / "bench.ini"
    text = (ROOT / "production.ini").read_text().replace("127.0.0.1:6543", ADDRESS)
    ini.write_text(text.replace("level = INFO", "level = WARN"))
    with PrivateDatabase(directory / "database") as database:
        database.create_database("ar_targets")
        url = database.url("ar_targets")
        environment = os.environ | {
            "AR_TARGETS_DATABASE_URL": url,
            "AR_TARGETS_JWT_KEYS": secrets.token_urlsafe(64),
        }
        run = [sys.executable, "-m"]
        subprocess.run([*run, "ar_targets.scripts.initdb", ini], env=environment, check=True)
        process = subprocess.Popen([*run, "pyramid.scripts.pserve", ini], env=environment)
        try:
            wait()
            yield process.pid, url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def wait() -> None:
    """Wait until the server is ready."""
    for _ in range(200):
        with contextlib.suppress(OSError):
            call("GET", "/health/ready")
            return
        time.sleep(0.1)
    sys.exit("the server did not start")


def cpu(pids: list[int]) -> float:
    """Seconds of CPU that the processes have used."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def descendants(pid: int) -> list[int]:
    """The ids of a process and all of its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in descendants(int(child)))]


def workloads(url: str) -> dict[str, Work]:
    """The workloads by name."""
    account = {"login": "bench", "password": secrets.token_urlsafe()}
    call("POST", "/api/user", account)
    user = call("POST", "/api/login", account)["token"]
    tokens, paths = [], []
    for name in ("bench", "long"):
        project = call("POST", "/api/project", {"name": name}, user)["id"]
        tokens.append(call("POST", f"/api/project/{project}/jwt", {}, user)["token"])
        paths.append(f"/api/project/{project}/imagetarget")
    seed = [sys.executable, ROOT / "benchmarks" / "seed.py", str(project), str(LISTED_ROWS)]
    subprocess.run(seed, env=os.environ | {"AR_TARGETS_DATABASE_URL": url}, check=True)
    app, targets = tokens[0], paths[0]
    small, large = jpeg(100_000), jpeg(1_000_000)
    one = {
        size: f"{targets}/{call('POST', targets, in_json(image), app)['id']}"
        for size, image in (("100k", small), ("1m", large))
    }
    sha256 = call("GET", one["100k"], token=app)["sha256"]
    same = f"""wrk.headers["If-None-Match"] = '"{sha256}"'"""
    form = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    created = {
        f"create {size}{how}": Work("POST", targets, app, body, media_type)
        for size, image in (("100 KB", small), ("1 MB", large))
        for how, body, media_type in (
            ("", in_json(image), "application/json"),
            (" as a form", in_form(image), form),
            (" as a JPEG", image, "image/jpeg"),
        )
    }
    return created | {
        "metadata and image 100 KB": Work("GET", one["100k"], app),
        "raw 100 KB": Work("GET", one["100k"] + "/image", app),
        "raw 1 MB": Work("GET", one["1m"] + "/image", app),
        "raw 304": Work("GET", one["100k"] + "/image", app, more=same),
        "list 50 of 100,000": Work("GET", paths[1], tokens[1]),
        "update": Work("PATCH", one["100k"], app, {"description": "COUNTER"}),
        "create project": Work("POST", "/api/project", user, {"name": "COUNTER"}),
    }


def measure(directory: Path, work: Work, pids: list[int]) -> str:
    """Run one workload; a row of the table."""
    raw = isinstance(work.body, bytes)
    body = work.body if raw else b"" if work.body is None else json.dumps(work.body).encode()
    (directory / "body").write_bytes(body)
    script = directory / "load.lua"
    values = work._asdict() | {"body": directory / "body", "salt": secrets.token_hex(4)}
    text = SCRIPT
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    script.write_text(text)
    before = cpu(pids)
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency", "-s", script]
    done = subprocess.run(
        [*command, f"http://{ADDRESS}{work.path}"], capture_output=True, text=True, check=True
    ).stdout
    used = cpu(pids) - before
    number = int(re.search(r"(\d+) requests in", done)[1])
    percentile = {p: re.search(rf"^\s+{p}%\s+(\S+)", done, re.MULTILINE)[1] for p in (50, 99)}
    wrong = re.search(r"WRONG (\d+)", done)[1]
    return (
        f"{number / SECONDS:9.0f} {percentile[50]:>10} {percentile[99]:>10} "
        f"{used / max(number, 1) * 1000:9.2f} {wrong:>6}"
    )


def main() -> None:
    """Run all workloads and print the table."""
    if shutil.which("wrk") is None:
        sys.exit("make bench needs wrk (on Debian and Ubuntu: apt-get install wrk)")
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (pid, url):
        directory = Path(name)
        database = int((directory / "database" / "server.pid").read_text())
        print(f"\n{'':26} {'req/s':>9} {'p50':>10} {'p99':>10} {'CPU ms':>9} {'wrong':>6}")
        for title, work in workloads(url).items():
            print(f"{title:26} {measure(directory, work, [*descendants(pid), database])}")


if __name__ == "__main__":
    main()
