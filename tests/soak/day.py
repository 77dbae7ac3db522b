"""What a user does in a day: every endpoint of the API, and every page of the panel, once."""

import itertools
import re
import threading
from collections import Counter
from typing import Any
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup

from ..admin.test_fuzz import LEFT_OUT, inside, shape
from ..pictures import CHINA, base64_of, drawn

PASSWORD = "correct horse battery"
# Is there before the days begin.
ADMINISTRATOR = "ada"
IMAGE = drawn()
TIMEOUT = 60
_NUMBERS = itertools.count(1)


class Tally:
    """What all of them have asked, and been answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.statuses: Counter[int] = Counter()
        self.operations: set[tuple[str, str]] = set()
        self.wrong: list[str] = []

    @property
    def total(self) -> int:
        return self.statuses.total()

    def note(self, operation: tuple[str, str], answer: requests.Response, *expected: int) -> None:
        with self._lock:
            self.statuses[answer.status_code] += 1
            self.operations.add(operation)
            if answer.status_code not in expected:
                said = f"{operation}: {answer.status_code}, not {expected}: {answer.text[:200]}"
                self.wrong.append(said)


class Day:
    """One user, who comes and goes; afterwards all of it is deleted."""

    def __init__(self, url: str, tally: Tally) -> None:
        self._url, self._tally = url, tally
        self._session = requests.Session()
        self._ids: dict[str, Any] = {}
        self._mark = f"day-{next(_NUMBERS)}"

    def live(self) -> None:
        with self._session:
            self._come()
            self._make()
            self._read()
            self._open_all(self._mark)
            self._work_in_the_panel()
            # Others delete meanwhile what is on its pages.
            self._open_all(ADMINISTRATOR, 302, 403, 404)
            self._send(self._open("/admin/account/"), "/admin/login/out/", expected=303)
            self._change()
            self._look_around()
            self._go()

    def ask(
        self, method: str, path: str, body: Any = None, *, who: str = "", expected: int = 0, **more
    ) -> requests.Response:
        """A request to a path as the description has it, and its tally."""
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        headers |= more.pop("headers", {})
        default = {"POST": 201, "DELETE": 204}.get(method, 200)
        answer = self._session.request(
            method,
            self._url + path.format(**self._ids),
            json=body,
            headers=headers,
            timeout=TIMEOUT,
            **more,
        )
        self._tally.note((method, path.partition("?")[0]), answer, expected or default)
        return answer

    def _come(self) -> None:
        user = {"login": self._mark, "password": PASSWORD}
        friend = {"login": f"{self._mark}-friend", "password": PASSWORD}
        self._ids["user_id"] = self.ask("POST", "/api/user", user).json()["id"]
        self._ids["friend_id"] = self.ask("POST", "/api/user", friend).json()["id"]
        self._owner = self._log_in(user)
        self._friend = friend

    def _log_in(self, user: dict[str, str]) -> str:
        return self.ask("POST", "/api/login", user, expected=200).json()["token"]

    def _make(self) -> None:
        project, owner = "/api/project/{project_id}", self._owner
        once = {"headers": {"Idempotency-Key": self._mark}}
        for _ in range(2):
            made = self.ask("POST", "/api/project", {"name": self._mark}, who=owner, **once)
            self._ids["project_id"] = made.json()["id"]
        self.ask("POST", "/api/project", {"name": self._mark}, who=owner, expected=409)
        body = {"login": self._friend["login"], "role": "viewer"}
        self.ask("POST", f"{project}/member", body, who=owner)
        made = self.ask("POST", f"{project}/jwt", {"access": "write"}, who=owner).json()
        self._ids["token_id"], self._app = made["id"], made["token"]
        targets = f"{project}/imagetarget"
        metadata = {"page": 1, "text": "x" * 1000}
        body = {"image": base64_of(CHINA), "name": "gate", "metadata": metadata}
        self._ids["target_id"] = self.ask("POST", targets, body, who=self._app).json()["id"]
        files = {"image": ("drawn.jpg", IMAGE, "image/jpeg")}
        self.ask("POST", targets, who=self._app, files=files)
        raw = {"Content-Type": "image/jpeg"}
        self.ask("POST", f"{targets}?name=raw", who=self._app, data=IMAGE, headers=raw)

    def _read(self) -> None:
        project, owner, app = "/api/project/{project_id}", self._owner, self._app
        target = f"{project}/imagetarget/{{target_id}}"
        for path, who in (
            ("/api/user?limit=5", ""),
            ("/api/user/{user_id}", ""),
            ("/api/project?limit=5", owner),
            (project, owner),
            (f"{project}/usage", owner),
            (f"{project}/member", owner),
            (f"{project}/jwt", owner),
            (f"{project}/jwt/{{token_id}}", owner),
            (f"{project}/imagetarget?fields=metadata", app),
            (f"{project}/imagetarget?name=gate", app),
            (target, app),
            (f"{project}/imagetarget?fields=analysis&rating_min=0", app),
            (f"{target}/image", app),
            (f"{target}/analysis", app),
        ):
            answer = self.ask("GET", path, who=who)
            self.ask("HEAD", path, who=who)
            self.ask("OPTIONS", path, expected=204, headers=_PREFLIGHT)
            if tag := answer.headers.get("ETag"):
                unchanged = {"If-None-Match": tag}
                self.ask("GET", path, who=who, expected=304, headers=unchanged)
        self.ask("GET", f"{target}/image", who=app, expected=206, headers={"Range": "bytes=0-99"})
        # Nothing examines pictures there.
        self.ask("GET", f"{target}/analysis/heatmap", who=app, expected=404)
        self.ask("POST", f"{target}/analysis/retry", who=app, expected=202)
        picture = {"image": base64_of(IMAGE)}
        self.ask("POST", f"{project}/analysis", picture, who=app, expected=503)

    def _change(self) -> None:
        project, owner, app = "/api/project/{project_id}", self._owner, self._app
        target = f"{project}/imagetarget/{{target_id}}"
        for method in ("PUT", "PATCH"):
            self.ask(method, project, {"name": f"{self._mark} {method}"}, who=owner)
            self.ask(method, f"{project}/jwt/{{token_id}}", {"ttl": 600}, who=owner)
        self.ask("PUT", target, {"image": base64_of(IMAGE), "name": "door"}, who=app)
        self.ask("PATCH", target, {"description": "a door"}, who=app)
        self.ask("PATCH", target, {"description": 7}, who=app, expected=400)
        stale = {"If-Match": '"stale"'}
        self.ask("PATCH", target, {"description": ""}, who=app, expected=412, headers=stale)
        raw = {"Content-Type": "image/jpeg"}
        self.ask("PUT", f"{target}/image", who=app, data=CHINA, headers=raw)
        member = f"{project}/member/{{user_id}}"
        self._ids["user_id"], user_id = self._ids["friend_id"], self._ids["user_id"]
        self.ask("GET", member, who=owner)
        self.ask("PATCH", member, {"role": "editor"}, who=owner)
        self.ask("DELETE", member, who=owner)
        self._ids["user_id"] = user_id
        self.ask("DELETE", target, who=app)
        self.ask("GET", target, who=app, expected=404)
        self.ask("POST", f"{target}/restore", who=app, expected=200)
        self.ask("DELETE", project, who=owner)
        self.ask("POST", f"{project}/restore", who=owner, expected=200)

    def _look_around(self) -> None:
        self._ids["asset"] = "docs.js"
        public = ("/", "/api", "/api/docs", "/api/docs/{asset}", "/api/openapi.json")
        for path in (*public, "/health/live", "/health/ready", "/metrics"):
            self.ask("GET", path)
            self.ask("HEAD", path)
        self.ask("GET", "/api/project", who="garbage", expected=401)
        self.ask("POST", "/api/login", {"login": self._mark, "password": "wrong"}, expected=401)
        self.ask("POST", "/api/nothing", expected=404)

    def _go(self) -> None:
        project = "/api/project/{project_id}"
        self.ask("DELETE", f"{project}/jwt/{{token_id}}", who=self._owner)
        self.ask("GET", f"{project}/imagetarget", who=self._app, expected=401)
        self.ask("PUT", "/api/user/{user_id}", {"login": self._mark, "password": PASSWORD})
        self.ask("PATCH", "/api/user/{user_id}", {"login": f"{self._mark}-late"})
        self.ask("DELETE", "/api/user/{user_id}")
        self.ask("DELETE", "/api/user/{friend_id}")

    def _open_all(self, login: str, *allowed: int) -> None:
        """Log in to the panel, and open all that a link leads to."""
        page = self._open("/admin/login/")
        self._send(page, "/admin/login/", expected=303, login=login, password=PASSWORD)
        seen, waiting = set(), ["/admin/"]
        while waiting:
            url = waiting.pop()
            if not inside(url) or url.startswith(LEFT_OUT) or shape(url) in seen:
                continue
            seen.add(shape(url))
            page = self._open(url, *allowed)
            if page is not None:
                waiting += [tag["href"] for tag in page.select("a[href]")]
                waiting += [tag["src"] for tag in page.select("img[src]")]

    def _work_in_the_panel(self) -> None:
        """Make, delete and restore, and log out."""
        page = self._open("/admin/project/new/")
        self._send(page, "/admin/project/new/", expected=302, name=f"{self._mark} in the panel")
        row = {"action": "delete", "rowid": str(self._ids["project_id"])}
        self._send(page, "/admin/project/action/", expected=302, **row)
        row["action"] = "restore"
        self._send(page, "/admin/trash/project/action/", expected=302, **row)
        self._send(page, "/admin/login/out/", expected=303)

    def _open(self, url: str, *allowed: int) -> BeautifulSoup | None:
        """A page; None for what is no HTML."""
        answer = self._session.get(urljoin(self._url, url), allow_redirects=False, timeout=TIMEOUT)
        place = re.sub(r"[0-9a-f]{64}|\d+", "N", url.partition("?")[0])
        # A thumbnail is drawn behind the answer 202; the trash leads on to its first tab.
        self._tally.note(("GET", place), answer, 200, 202, 303, *allowed)
        html = answer.headers["Content-Type"].startswith("text/html")
        return BeautifulSoup(answer.text, "html.parser") if html else None

    def _send(self, page: BeautifulSoup | None, url: str, *, expected: int, **fields: str) -> None:
        assert page is not None
        token = page.find("meta", {"name": "csrf-token"})["content"]
        answer = self._session.post(
            self._url + url,
            data={"csrf_token": token, **fields},
            allow_redirects=False,
            timeout=TIMEOUT,
        )
        self._tally.note(("POST", url), answer, expected)


_PREFLIGHT = {
    "Origin": "https://app.example",
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}
