"""Brings docker-compose.yaml up for real, under a project name of its own, and tries it out.

    .venv/bin/python tests/deployment/check_compose.py
    ENGINE=podman COMPOSE=podman-compose .venv/bin/python tests/deployment/check_compose.py

It needs a container engine, the base images (or make_images.sh's stand-ins) and
a free port (PORT, default 8400). It takes about six minutes, prints what it saw,
removes all it made, and ends with an error at the first thing that is wrong.
"""

import base64
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.pictures import CHINA  # noqa: E402

ENGINE = os.environ.get("ENGINE", "docker")
COMPOSE = os.environ.get("COMPOSE", "docker compose").split()
PORT = int(os.environ.get("PORT", "8400"))
PROJECT = "ar_targets_check"
# podman-compose ties containers together in a way that podman 4.3 cannot start.
UP = ["up", "--detach", *(["--no-deps"] if "podman" in COMPOSE[0] else [])]
ENVIRON = os.environ | {
    "COMPOSE_PROJECT_NAME": PROJECT,
    "IMAGE": "localhost/ar_targets_check",
    "HTTP_PORT": str(PORT),
    "HTTPS_PORT": str(PORT + 1),
    "AR_TARGETS_PURGE_SCHEDULE": "* * * * *",
}
MIB = 2**20
TRIES = 10


def call(*command: str, check: bool = True) -> str:
    """Run a command; what it prints on standard output."""
    done = subprocess.run(
        command, cwd=ROOT, env=ENVIRON, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def compose(*arguments: str, check: bool = True) -> str:
    """Run the compose program on our project."""
    return call(*COMPOSE, "-p", PROJECT, *arguments, check=check)


def containers(service: str) -> list[str]:
    """The names of a service's containers, stopped ones included."""
    names = call(ENGINE, "ps", "--all", "--format", "{{.Names}}").split()
    return sorted(
        name for name in names if name.replace("-", "_").startswith(f"{PROJECT}_{service}_")
    )


def ask(method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Any:
    """One request through the proxy; status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if body is not None:
        sent["Content-Type"] = "application/json"
    try:
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body)
        connection.request(method, path, raw, sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def good(method: str, path: str, body: Any = None, token: str = "") -> Any:
    """One request that must succeed; its JSON."""
    status, _, answered = ask(method, path, body, token)
    assert status < 300, (method, path, status, answered[:300])
    return json.loads(answered) if answered else None


def wait_for(what: str, condition: Callable[[], bool], seconds: float = 180) -> None:
    """Wait until something holds, and say how long it took."""
    begun = time.monotonic()
    while True:
        with suppress(OSError, http.client.HTTPException):
            if condition():
                print(f"  {what}: after {time.monotonic() - begun:.1f} s")
                return
        assert time.monotonic() - begun < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.25)


def ready() -> bool:
    """Whether a request gets through all of it."""
    return bool(ask("GET", "/health/ready")[0] == 200)


def step(title: str) -> None:
    """Say what comes."""
    print(title, flush=True)


class World:
    """A user, a project with its app's token, and what was uploaded."""

    def __init__(self) -> None:
        login = {"login": f"ann{time.time_ns()}", "password": "correct horse"}
        good("POST", "/api/user", login)
        self.user: str = good("POST", "/api/login/", login)["token"]
        self.project: int = good("POST", "/api/project", {"name": login["login"]}, self.user)["id"]
        self.tokens = f"/api/project/{self.project}/jwt"
        self.app: str = good("POST", self.tokens, {}, self.user)["token"]
        self.targets = f"/api/project/{self.project}/imagetarget"
        self.stored: dict[int, str] = {}
        self.refusals: Counter[str] = Counter()

    def upload(self, image: bytes) -> int:
        """Upload an image; the status, and note what was acknowledged."""
        body = {"image": base64.b64encode(image).decode()}
        status, _, answered = ask("POST", self.targets, body, self.app)
        if status == 201:
            self.stored[json.loads(answered)["id"]] = hashlib.sha256(image).hexdigest()
        else:
            self.refusals[answered[:200].decode()] += 1
        return int(status)

    def read(self, target: int) -> int:
        """Read an image back; the status. What comes must be what was sent."""
        status, _, image = ask("GET", f"{self.targets}/{target}/image", token=self.app)
        if status == 200:
            assert hashlib.sha256(image).hexdigest() == self.stored[target]
        return int(status)

    def check(self) -> None:
        """All that was acknowledged is there, byte for byte."""
        assert all(self.read(target) == 200 for target in list(self.stored))
        print(f"  {len(self.stored)} images are there, byte for byte")


class Load:
    """Uploads and reads by several clients at once, until told to stop."""

    def __init__(self, world: World, clients: int = 6) -> None:
        self.statuses: Counter[int | str] = Counter()
        self._stop = threading.Event()
        self._world = world
        self._threads = [threading.Thread(target=self._work) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        print(f"  answers under load: {dict(self.statuses)}")
        for refusal, number in self._world.refusals.items():
            print(f"    {number} × {refusal}")
        self._world.refusals.clear()

    def _work(self) -> None:
        first = min(self._world.stored)
        while not self._stop.is_set():
            for request in (lambda: self._world.upload(CHINA), lambda: self._world.read(first)):
                try:
                    self.statuses[request()] += 1
                except (OSError, http.client.HTTPException) as error:
                    self.statuses[type(error).__name__] += 1
            time.sleep(0.02)


def first_start() -> World:
    """From nothing to a first image."""
    step("first start: one command")
    compose(*UP)
    wait_for("ready", ready)
    shown = compose("run", "--rm", "secrets", "--show-password").split()[-1]
    good("POST", "/api/login/", {"login": "admin", "password": shown})
    again = compose("run", "--rm", "secrets", "--show-password", check=False)
    assert shown not in again
    for service in ("secrets", "migrate", "api", "database"):
        for name in containers(service):
            assert shown not in call(ENGINE, "logs", name)
    print("  the administrator's password is shown once, and in no log")
    world = World()
    assert world.upload(CHINA) == 201
    assert world.upload(CHINA + bytes(10 * MIB - len(CHINA))) == 201
    assert world.upload(CHINA + bytes(10 * MIB - len(CHINA) + 1)) == 413
    # What is far too large is refused before it has arrived, in the shape of all errors.
    announced = {"Content_Length": str(40 * MIB)}
    status, headers, body = ask("POST", world.targets, b" " * MIB, world.app, **announced)
    assert status == 413, status
    assert json.loads(body)["status"] == "error"
    assert headers["Content-Type"] == "application/json"
    world.check()
    return world


def restarts(world: World) -> None:
    """Each container ends and comes back."""
    step("each container is restarted")
    for service in ("api", "proxy", "cleanup", "database"):
        for name in containers(service):
            call(ENGINE, "restart", "--time", "40", name)
        wait_for(f"ready after a restart of {service}", ready)
    world.check()


def lost_database(world: World) -> None:
    """The database dies under load."""
    step("the database is killed under load")
    (name,) = containers("database")
    with Load(world) as load:
        time.sleep(3)
        call(ENGINE, "kill", name)
        time.sleep(6)
        call(ENGINE, "start", name)
        wait_for("ready again", ready)
        before = load.statuses[201]
        wait_for("uploads go on", lambda: load.statuses[201] > before + 10)
    assert load.statuses.keys() <= {200, 201, 503}, load.statuses
    assert load.statuses[503] > 0
    world.check()


def replicas(world: World) -> None:
    """Three API containers behind one address."""
    step("three API containers")
    compose(*UP, "--scale", "api=3")
    names = containers("api")
    assert len(names) == 3, names
    wait_for("ready", ready)
    # The proxy asks for their addresses each second.
    wait_for("all are asked", lambda: all(asked(name) for name in names))
    wrong = {"login": "guessed", "password": "wrong"}
    statuses = [
        ask("POST", "/api/login/", wrong, X_Forwarded_For=f"192.0.2.{number}")[0]
        for number in range(TRIES + 3)
    ]
    assert statuses == TRIES * [401] + 3 * [429], statuses
    print(f"  failed logins are counted together, forged addresses or not: {statuses}")
    with Load(world) as load:
        time.sleep(2)
        call(ENGINE, "stop", "--time", "40", names[-1])
        time.sleep(4)
    said = {name: "a login failed" in logs(name) for name in names}
    print(f"  which of them refused logins: {said}")
    assert sum(said.values()) > 1
    assert load.statuses.keys() <= {200, 201}, load.statuses
    world.check()


def asked(name: str) -> bool:
    """Whether a container answers a new request through the proxy, or has done so."""
    return ready() and "/health/ready" in logs(name)


def logs(name: str) -> str:
    """All that a container has said."""
    done = subprocess.run([ENGINE, "logs", name], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def cleanup(world: World) -> None:
    """A token that has expired is gone after the next minute."""
    step("the cleanup container removes an expired token on schedule")
    token = good("POST", world.tokens, {"ttl": 1}, world.user)["id"]
    kept = good("POST", world.tokens, {}, world.user)["id"]
    path = f"{world.tokens}/{token}"
    wait_for("removed", lambda: ask("GET", path, token=world.user)[0] == 404)
    good("GET", f"{world.tokens}/{kept}", token=world.user)
    (name,) = containers("cleanup")
    lines = [line for line in logs(name).splitlines() if "purge" in line or "removed" in line]
    print("  " + "\n  ".join(lines[-5:]))
    assert any("exit status 0" in line for line in lines)


def down_and_up(world: World) -> None:
    """Everything is removed but the volumes, and made again."""
    step("down and up")
    # podman-compose forgets the replicas that --scale has made.
    compose(*UP, "--scale", "api=1")
    for name in containers("api")[1:]:
        call(ENGINE, "rm", "--force", name)
    compose("down")
    assert not containers("api")
    compose(*UP)
    wait_for("ready", ready)
    world.check()
    good("GET", "/api/project", token=world.user)
    print("  tokens from before are good: the keys were kept")


def main() -> None:
    """All of it, and what it made is removed."""
    for program in (ENGINE, COMPOSE[0]):
        if not shutil.which(program):
            raise SystemExit(f"{program} is not installed; set ENGINE and COMPOSE")
    assert not containers("api"), f"remove the containers of an earlier run of {PROJECT} first"
    try:
        world = first_start()
        restarts(world)
        lost_database(world)
        replicas(world)
        cleanup(world)
        down_and_up(world)
    finally:
        if not os.environ.get("KEEP"):
            compose("down", "--volumes", check=False)
    print("all is well")


if __name__ == "__main__":
    main()
