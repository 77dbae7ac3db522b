"""One client: a user with projects, tokens and targets, who writes down what was answered."""

import base64
import hashlib
import random
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from ..pictures import CHINA, drawn
from .caller import Answer, Caller
from .history import Act, Entry, Journal, Kind, Value
from .shared import Shared

PASSWORD = "correct horse battery"
# A picture, and how many bytes a camera has left behind its end; the larger ones
# travel beside the SQL, the largest in several parts.
PICTURES = [(drawn(), 0)] * 12 + [(drawn(), 20_000)] * 5 + [(CHINA, 0)] * 2 + [(CHINA, 1_500_000)]
# Live projects of a client, tokens of a project, targets of a project; more are not created.
MANY = {"project": 6, "token": 5, "target": 40}
FINE = (200, 201, 204)
# Answers that the database's absence explains, or, where nginx gives them, the server's; None is
# a connection that broke.
AWAY = (502, 503, None)


@dataclass
class Own:
    """Something that this client made, and what it knows of it."""

    kind: Kind
    mark: str
    path: str
    tag: str
    value: Value
    token: str | None = None
    # All values that it may have. More than one: it must be read before it is changed.
    possible: list[Value] = field(default_factory=list)
    project: "Own | None" = None
    tokens: list["Own"] = field(default_factory=list)
    targets: list["Own"] = field(default_factory=list)


class Client:
    """Works until it is told to stop. What it sees that must never be is in ``wrong``."""

    def __init__(self, number: int, seed: int, port: int, shared: Shared, pause: float) -> None:
        self.name = f"client {number}"
        self.chance = random.Random(f"{seed}-{number}")
        self.journal = Journal(f"c{number}")
        self.caller = Caller(port)
        self.wrong: list[str] = []
        self.projects: list[Own] = []
        self._shared, self._pause = shared, pause
        self._thread = threading.Thread(target=self._work, name=self.name)
        self._stopping = threading.Event()
        self._user = self._token = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        try:
            self.sign_up()
            acts = [act for act, weight in ACTS.items() for _ in range(weight)]
            while not self._stopping.is_set():
                self.chance.choice(acts)(self)
                self._stopping.wait(self.chance.uniform(0, 2 * self._pause))
        except Exception:  # noqa: BLE001  # whatever it is, the experiment has failed
            self.wrong.append(f"{self.name}: {traceback.format_exc()}")
        finally:
            self.caller.close()

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> Answer:
        """A request, held against what holds for all answers."""
        answer = self.caller.ask(method, path, body, **more)
        if answer.hung:
            self.complain(answer, method, path, "no answer at all")
        if answer.status is not None and answer.status >= 500 and answer.status not in AWAY:
            self.complain(answer, method, path, "a server error")
        if answer.status in (502, 503) and not answer.headers.get("Retry-After"):
            self.complain(answer, method, path, "no Retry-After")
        if answer.status in AWAY:
            # What Retry-After says would leave a short run idle.
            self._stopping.wait(0.2)
        return answer

    def expect(self, answer: Answer, method: str, path: str, *others: int) -> bool:
        """Whether it went well; anything but ``others`` and an outage is wrong."""
        if answer.status not in (*FINE, *AWAY, *others):
            self.complain(answer, method, path, "unexpected")
        return answer.status in FINE

    def complain(self, answer: Answer, method: str, path: str, why: str) -> None:
        said = answer.body[:200].decode(errors="replace")
        self.wrong.append(f"{self.name}: {method} {path}: {answer.status} {said} ({why})")

    # What it does, one request after the other.

    def write(
        self,
        act: Act,
        kind: Kind,
        mark: str,
        answer: Answer,
        value: Value | None = None,
        *,
        parent: str | None = None,
        caller: str | None = None,
    ) -> None:
        """Note a write and what was said to it."""
        made = answer.json if act == "create" and answer.status == 201 else {}
        self.journal.entries.append(
            Entry(
                act,
                kind,
                mark,
                answer.status,
                answer.sent,
                answer.heard,
                value,
                made.get("id"),
                parent,
                caller or self._user,
                made.get("token"),
            )
        )

    def sign_up(self) -> None:
        """Become a user, however many attempts that takes."""
        while not self._stopping.is_set():
            mark = self.journal.mark()
            if self.new_user(mark) and (token := self.log_in(mark, PASSWORD)):
                self._user, self._token = mark, token
                return

    def new_user(self, mark: str) -> int | None:
        body = {"login": mark, "password": PASSWORD}
        answer = self.ask("POST", "/api/user", body)
        self.write("create", "user", mark, answer, PASSWORD)
        return answer.json["id"] if self.expect(answer, "POST", "/api/user") else None

    def log_in(self, login: str, password: str) -> str | None:
        """A user token."""
        answer = self.ask("POST", "/api/login", {"login": login, "password": password})
        return answer.json["token"] if self.expect(answer, "POST", "/api/login") else None

    def create_project(self) -> None:
        if len(self.projects) < MANY["project"]:
            name = self.journal.mark()
            path, body = "/api/project", {"name": name}
            if made := self._create(None, "project", path, body, name, name):
                self.projects.append(made)

    def _create(
        self,
        parent: Own | None,
        kind: Kind,
        path: str,
        body: dict[str, Any],
        mark: str,
        value: Value,
        *,
        app: Own | None = None,
        others: tuple[int, ...] = (),
    ) -> Own | None:
        token = app.token if app else self._token
        answer = self.ask("POST", path, body, token=token)
        above = parent.mark if parent else self._user
        caller = app.mark if app else None
        self.write("create", kind, mark, answer, value, parent=above, caller=caller)
        if not self.expect(answer, "POST", path, *others):
            return None
        made = Own(kind, mark, f"{path}/{answer.json['id']}", answer.tag, value, project=parent)
        made.possible, made.token = [value], answer.json.get("token")
        return made

    def rename_project(self) -> None:
        if project := self._any(self.projects):
            name = self.journal.mark()
            self._change(project, {"name": name}, name)

    def delete_project(self) -> None:
        if len(self.projects) > 2 and (project := self._any(self.projects)):
            self._delete(project)
            self.projects.remove(project)
            for token in project.tokens:
                self._shared.withdraw(token)

    def create_token(self) -> None:
        project = self._any(self.projects)
        if project and len(project.tokens) < MANY["token"]:
            mark = self.journal.mark()
            body = {"description": mark, "ttl": 86400}
            path = f"{project.path}/jwt"
            if made := self._create(project, "token", path, body, mark, 86400):
                project.tokens.append(made)
                if self.chance.random() < 0.3:
                    self._shared.publish(made)

    def extend_token(self) -> None:
        if token := self._any([token for project in self.projects for token in project.tokens]):
            ttl = self.chance.randint(86401, 31536000)
            self._change(token, {"ttl": ttl}, ttl)

    def revoke_token(self) -> None:
        """Revoke one, and try it at once."""
        project = self._any(self.projects)
        if project and len(project.tokens) > 1:
            token = self._any(project.tokens)
            project.tokens.remove(token)
            self._shared.withdraw(token)
            revoked = self._delete(token)
            tried = self._use(token, f"{project.path}/imagetarget?limit=1", 401)
            if revoked and tried.status in FINE:
                self.complain(tried, "GET", project.path, "the token was revoked")

    def upload(self) -> None:
        project = self._any([project for project in self.projects if project.tokens])
        full = project is None or len(project.targets) >= MANY["target"]
        if not full and (made := self._upload(project, self._any(project.tokens))):
            project.targets.append(made)

    def upload_described(self, text: str) -> Own:
        """A target that is not this client's alone, so it is not written down."""
        [project] = self.projects
        path = f"{project.path}/imagetarget"
        body = {"image": self._picture()[0], "description": text}
        answer = self.ask("POST", path, body, token=project.tokens[0].token)
        return Own("target", text, f"{path}/{answer.json['id']}", answer.tag, text)

    def upload_to_another(self) -> None:
        """Into a project that its owner may be deleting, by a token that may be revoked."""
        if (token := self._shared.any_token(self.chance)) and token.project:
            self._upload(token.project, token, 401, 404)

    def _upload(self, project: Own, app: Own | None, *others: int) -> Own | None:
        image, checksum = self._picture()
        mark = self.journal.mark()
        body = {"image": image, "description": mark}
        path = f"{project.path}/imagetarget"
        value = (mark, checksum)
        return self._create(project, "target", path, body, mark, value, app=app, others=others)

    def describe_target(self) -> None:
        if target := self._any_target():
            text = self.journal.mark()
            self._change(target, {"description": text}, (text, ""))

    def replace_image(self) -> None:
        if target := self._any_target():
            image, checksum = self._picture()
            self._change(target, {"image": image}, ("", checksum))

    def delete_target(self) -> None:
        target = self._any_target()
        if target and target.project:
            self._delete(target)
            target.project.targets.remove(target)

    def read_image(self) -> None:
        """It must be one that was sent."""
        target = self._any_target()
        if target and target.project and (token := self._any(target.project.tokens)):
            answer = self._use(token, f"{target.path}/image")
            if answer.status == 200:
                checksum = hashlib.sha256(answer.body).hexdigest()
                if checksum not in {value[1] for value in target.possible}:
                    self.complain(answer, "GET", target.path, f"an image not sent: {checksum}")

    def read_project(self) -> None:
        if project := self._any(self.projects):
            answer = self.ask("GET", project.path, token=self._token)
            if self.expect(answer, "GET", project.path):
                self._compare(project, answer)

    def life_of_a_user(self) -> None:
        """Come, log in, make a project, change the password, go; any part of it may fail."""
        login = self.journal.mark()
        row = self.new_user(login)
        token = row and self.log_in(login, PASSWORD)
        if not token:
            return
        path, name = f"/api/user/{row}", self.journal.mark()
        answer = self.ask("POST", "/api/project", {"name": name}, token=token)
        self.write("create", "project", name, answer, name, parent=login, caller=login)
        self.expect(answer, "POST", "/api/project")
        if self.chance.random() < 0.7:
            password = f"{PASSWORD} {login}"
            answer = self.ask("PATCH", path, {"password": password})
            self.write("change", "user", login, answer, password)
            if self.expect(answer, "PATCH", path):
                self._must_be_dead(token, "the password was changed")
        if self.chance.random() < 0.7:
            answer = self.ask("DELETE", path)
            self.write("delete", "user", login, answer)
            if self.expect(answer, "DELETE", path):
                self._must_be_dead(token, "the user was deleted")

    def _must_be_dead(self, token: str, why: str) -> None:
        answer = self.ask("GET", "/api/project", token=token)
        if answer.status not in (401, *AWAY):
            self.complain(answer, "GET", "/api/project", why)

    def race_for_a_name(self) -> None:
        """All clients want these names; who gets one gives it back after a while."""
        name = self._shared.any_name(self.chance)
        answer = self.ask("POST", "/api/project", {"name": name}, token=self._token)
        self.expect(answer, "POST", "/api/project", 409)
        if answer.status in FINE:
            self._stopping.wait(self.chance.uniform(0, self._pause))
            self._shared.held(name, answer.heard, time.monotonic())
            self._give_back(f"/api/project/{answer.json['id']}")
        elif answer.status in AWAY:
            answer = self.ask("GET", "/api/project?limit=200", token=self._token)
            if self.expect(answer, "GET", "/api/project"):
                for project in answer.json["items"]:
                    if project["name"] == name:
                        self._give_back(f"/api/project/{project['id']}")

    def _give_back(self, path: str) -> None:
        """Delete a project, however many attempts that takes."""
        while not self._stopping.is_set():
            answer = self.ask("DELETE", path, token=self._token)
            self.expect(answer, "DELETE", path, 404)
            if answer.status not in AWAY:
                return

    def count(self) -> None:
        """Add one to a number that all clients add to, by If-Match."""
        path, token = self._shared.counter
        answer = self.ask("GET", path, token=token)
        if self.expect(answer, "GET", path):
            number = int(answer.json["description"]) + 1
            body = {"description": str(number)}
            answer = self.ask("PATCH", path, body, token=token, if_match=answer.tag)
            self.expect(answer, "PATCH", path, 412)
            self._shared.counted(number, answer.status)

    # The parts of the above.

    def _change(self, own: Own, body: dict[str, Any], value: Value) -> None:
        """Change it in the version that was read; a late or repeated write cannot undo another."""
        app = self._any(own.project.tokens) if own.kind == "target" and own.project else None
        if own.kind == "target" and app is None:
            return
        if len(own.possible) > 1 and not self._refresh(own, app):
            return
        if isinstance(value, tuple):
            # A part that is not sent stays.
            value = (value[0] or own.value[0], value[1] or own.value[1])
        token = app.token if app else self._token
        answer = self.ask("PATCH", own.path, body, token=token, if_match=own.tag)
        caller = app.mark if app else None
        self.write("change", own.kind, own.mark, answer, value, caller=caller)
        doubtful = len(own.possible) > 1
        if self.expect(answer, "PATCH", own.path, *([412] if doubtful else [])):
            own.value, own.tag, own.possible = value, answer.tag, [value]
        elif answer.status in AWAY:
            own.possible.append(value)

    def _refresh(self, own: Own, app: Own | None) -> bool:
        """Look which of the possible values it has."""
        answer = self.ask("GET", own.path, token=app.token if app else self._token)
        return self.expect(answer, "GET", own.path) and self._compare(own, answer)

    def _compare(self, own: Own, answer: Answer) -> bool:
        shown = answer.json
        if own.kind == "target":
            value: Value = (shown["description"], shown["sha256"])
        else:
            value = shown["name"] if own.kind == "project" else shown["ttl"]
        if value not in own.possible:
            self.complain(answer, "GET", own.path, f"{value} is none of {own.possible}")
            return False
        own.value, own.tag = value, answer.tag
        return True

    def _delete(self, own: Own) -> bool:
        """Delete it; whether that is certain. It is not touched again."""
        app = self._any(own.project.tokens) if own.kind == "target" and own.project else None
        token = app.token if app else self._token
        if own.kind == "target" and app is None:
            return False
        answer = self.ask("DELETE", own.path, token=token)
        self.write("delete", own.kind, own.mark, answer, caller=app.mark if app else None)
        return self.expect(answer, "DELETE", own.path)

    def _use(self, token: Own, path: str, *others: int) -> Answer:
        """Read something by a project token."""
        answer = self.ask("GET", path, token=token.token)
        self.write("use", "token", token.mark, answer, caller=token.mark)
        self.expect(answer, "GET", path, *others)
        return answer

    def _any(self, choices: list[Own]) -> Any:
        return self.chance.choice(choices) if choices else None

    def _any_target(self) -> Any:
        return self._any([target for project in self.projects for target in project.targets])

    def _picture(self) -> tuple[str, str]:
        """A picture that nobody has sent before, in base64, and its SHA-256."""
        picture, room = self.chance.choice(PICTURES)
        data = picture + self.chance.randbytes(16 + room)
        return base64.b64encode(data).decode(), hashlib.sha256(data).hexdigest()


# How often each, out of a hundred.
ACTS = {
    Client.create_project: 4,
    Client.rename_project: 6,
    Client.delete_project: 2,
    Client.create_token: 6,
    Client.extend_token: 5,
    Client.revoke_token: 3,
    Client.upload: 16,
    Client.upload_to_another: 5,
    Client.describe_target: 12,
    Client.replace_image: 6,
    Client.delete_target: 7,
    Client.read_image: 12,
    Client.read_project: 4,
    Client.race_for_a_name: 4,
    Client.count: 6,
    Client.life_of_a_user: 2,
}
