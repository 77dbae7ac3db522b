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
from typing import Any

from PIL import Image

from ar_targets.development.database import PrivateDatabase

ROOT = Path(__file__).parents[1]
ADDRESS = "127.0.0.1:6544"
SECONDS, CONNECTIONS = 5, 16
LISTED_ROWS = 100_000
TICKS = os.sysconf("SC_CLK_TCK")

# wrk's Lua script. COUNTER in the body becomes a number for each request.
SCRIPT = """
wrk.method = "{method}"
wrk.body = io.open("{body}"):read("*a")
wrk.headers["Authorization"] = "Bearer {token}"
wrk.headers["Content-Type"] = "application/json"
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


def jpeg(size: int) -> str:
    """A noisy JPEG of about ``size`` bytes, as base64."""
    side, data = 400, b""
    for _ in range(5):
        out = io.BytesIO()
        Image.effect_noise((side, side), 60).convert("RGB").save(out, "JPEG", quality=85)
        data = out.getvalue()
        side = round(side * (size / len(data)) ** 0.5)
    return base64.b64encode(data).decode()


@contextlib.contextmanager
def server(directory: Path) -> Iterator[tuple[int, str]]:
    """Start a database and the server, migrated; yields the server's process id and the URL."""
    ini = directory / "bench.ini"
    text = (ROOT / "production.ini").read_text().replace("0.0.0.0:6543", ADDRESS)
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


def workloads(url: str) -> dict[str, tuple[str, str, object, str, str]]:
    """Name → method, path, body, token, further lines of the script."""
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
        size: f"{targets}/{call('POST', targets, {'image': image}, app)['id']}"
        for size, image in (("100k", small), ("1m", large))
    }
    sha256 = call("GET", one["100k"], token=app)["sha256"]
    same = f"""wrk.headers["If-None-Match"] = '"{sha256}"'"""
    return {
        "create 100 KB": ("POST", targets, {"image": small}, app, ""),
        "create 1 MB": ("POST", targets, {"image": large}, app, ""),
        "metadata and image 100 KB": ("GET", one["100k"], None, app, ""),
        "raw 100 KB": ("GET", one["100k"] + "/image", None, app, ""),
        "raw 1 MB": ("GET", one["1m"] + "/image", None, app, ""),
        "raw 304": ("GET", one["100k"] + "/image", None, app, same),
        "list 50 of 100,000": ("GET", paths[1], None, tokens[1], ""),
        "update": ("PATCH", one["100k"], {"description": "COUNTER"}, app, ""),
        "create project": ("POST", "/api/project", {"name": "COUNTER"}, user, ""),
    }


def measure(directory: Path, work: tuple[str, str, object, str, str], pids: list[int]) -> str:
    """Run one workload; a row of the table."""
    method, path, body, token, more = work
    (directory / "body").write_text(json.dumps(body) if body is not None else "")
    script = directory / "load.lua"
    values = {"method": method, "body": directory / "body", "token": token, "more": more}
    text = SCRIPT
    for name, value in (values | {"salt": secrets.token_hex(4)}).items():
        text = text.replace("{" + name + "}", str(value))
    script.write_text(text)
    before = cpu(pids)
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency", "-s", script]
    done = subprocess.run(
        [*command, f"http://{ADDRESS}{path}"], capture_output=True, text=True, check=True
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
