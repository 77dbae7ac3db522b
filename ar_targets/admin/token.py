"""``/admin/token/``: the tokens of all projects."""

from typing import Any

import flask

from .. import clock
from ..db.base import parse_id
from ..errors import REVOKED
from ..models import project as projects
from ..models import token as tokens
from ..models.keyset import contains
from ..models.panel_lists import TOKENS
from ..models.project import ProjectRecord
from ..models.token import TokenRecord
from ..schemas.token import TokenBody, TokenTtlBody, ttl_fault
from . import context, listing
from .form import Refusal, changed, field, load, revision
from .page import Page, done, found, go, path

STATES = {"valid": "Valid", "expired": "Expired", "revoked": "Revoked"}
ACCESS = {"write": "Write", "read": "Read only"}
ORDERS = {"id": "Created", "expires_at": "Expires"}
DAY = 86_400


class TokenPage(Page):
    """The list, and a page for each token."""

    @path("/")
    def index(self) -> Any:
        """Tokens, of all live projects or of one."""
        search = listing.argument("q")
        state, access = listing.argument("state", STATES), listing.argument("access", ACCESS)
        project_id = parse_id(listing.argument("project"))
        order = listing.argument("order", ORDERS) or "id"
        course = state or order
        filters = [name for name in (state, access) if name]
        values: dict[str, Any] = {"now": clock.now(), "search": contains(search)}
        if search:
            filters.append("search")
        if project_id:
            course = "project"
            values["project_id"] = project_id
        else:
            filters.append("live")
        found_tokens = listing.read(TOKENS, course, order=order, filters=tuple(filters), **values)
        return self.render(
            "token/index.html",
            jwt=context.jwt,
            listing=found_tokens,
            q=search,
            state=state,
            states=STATES,
            access=access,
            accesses=ACCESS,
            project=live_project(project_id) if project_id else None,
            sortable=not state and not project_id,
        )

    @path("/<int:project_id>/new/", "GET", "POST")
    def new(self, project_id: int) -> Any:
        """Create a token."""
        project = live_project(project_id)
        refused = None
        if flask.request.method == "POST":
            try:
                record = create(project_id)
            except Refusal as error:
                refused = error
            else:
                done("The token is created; copy it into your app.")
                return go(".show", project_id=project_id, token_id=record.id)
        page = self.render(
            "token/new.html",
            project=project,
            settings=context.settings(),
            accesses=ACCESS,
            wrong=refused.wrong if refused else {},
        )
        return page, refused.status if refused else 200

    @path("/<int:project_id>/<int:token_id>/")
    def show(self, project_id: int, token_id: int) -> Any:
        """One token, with the JWT to copy."""
        return self.page(project_id, token_id)

    def page(self, project_id: int, token_id: int, refused: Refusal | None = None) -> Any:
        """Render a token; the messages of a refused form are shown beside its fields."""
        project, record = token_of(project_id, token_id)
        page = self.render(
            "token/show.html",
            project=project,
            token=record,
            state=state_of(record),
            jwt=context.jwt(record),
            settings=context.settings(),
            wrong=refused.wrong if refused else {},
        )
        return page, refused.status if refused else 200

    @path("/<int:project_id>/<int:token_id>/extend/", "POST")
    def extend(self, project_id: int, token_id: int) -> Any:
        """Set the expiry to a number of days from now."""
        _, record = token_of(project_id, token_id)
        try:
            ttl = checked_ttl(load(TokenTtlBody(), {"ttl": typed_ttl()}))
            extended = tokens.extend(context.db(), record, ttl, revision())
            if extended is None:
                refuse_revoked(project_id, token_id)
            changed(extended)
        except Refusal as refused:
            return self.page(project_id, token_id, refused)
        done("The token is extended; apps that have it need no new one.")
        return go(".show", project_id=project_id, token_id=token_id)

    @path("/<int:project_id>/<int:token_id>/revoke/", "POST")
    def revoke(self, project_id: int, token_id: int) -> Any:
        """Revoke the token immediately; idempotent."""
        _, record = token_of(project_id, token_id)
        if record.revoked_at is None:
            tokens.revoke(context.db(), token_id)
        done("The token is revoked, from this moment on.")
        return go(".show", project_id=project_id, token_id=token_id)


def live_project(project_id: int) -> ProjectRecord:
    """The project; raises NotFound."""
    return found(projects.find(context.db(), project_id))


def token_of(project_id: int, token_id: int) -> tuple[ProjectRecord, TokenRecord]:
    """A token and its live project; raises NotFound."""
    project = live_project(project_id)
    return project, found(tokens.find(context.db(), project_id, token_id))


def refuse_revoked(project_id: int, token_id: int) -> None:
    """Raise Refusal (409) if the token has been revoked in the meantime."""
    _, record = token_of(project_id, token_id)
    if record.revoked_at is not None:
        raise Refusal(409, {"": REVOKED})


def state_of(record: TokenRecord) -> str:
    """The token's state, one of `STATES`."""
    if record.revoked_at is not None:
        return "revoked"
    return "valid" if record.valid else "expired"


def typed_ttl() -> object:
    """The form's days in seconds; text that is not a number is left for the schema to refuse."""
    text = field("days").strip()
    return int(text) * DAY if text.isascii() and text.isdecimal() and len(text) < 10 else text


def checked_ttl(fields: dict[str, Any]) -> int:
    """The validated TTL in seconds. Raises Refusal (400)."""
    if wrong := ttl_fault(fields["ttl"], context.settings().project_token_max_ttl):
        raise Refusal(400, {"ttl": wrong})
    return int(fields["ttl"])


def create(project_id: int) -> TokenRecord:
    """Create the token from the form. Raises Refusal."""
    typed = {"ttl": typed_ttl(), "access": field("access"), "description": field("description")}
    fields = load(TokenBody(), typed)
    ttl = checked_ttl(fields)
    record = tokens.create(context.db(), project_id, ttl, fields["access"], fields["description"])
    return found(record)
