"""Requests made from the API's description, good and bad ones, as each kind of caller.

schemathesis makes them, and holds the answers against the description. HEAD
and OPTIONS are left out: they are made from what is asked here.
"""

import re
import uuid

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import negative_data_rejection
from schemathesis.config import SchemathesisConfig

from ..description import default_document
from ..pictures import base64_of, drawn

# Random ones, beside those at the limits of each field.
EXAMPLES, MANY_EXAMPLES = 5, 60
IMAGE = base64_of(drawn())
# What a good request may be answered with, where it speaks of an object that is not so.
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "412", "416", "429"]
CONFIG = {
    "generation": {"deterministic": True},
    "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
}

schema = schemathesis.openapi.from_dict(
    default_document(), config=SchemathesisConfig.from_dict(CONFIG)
).exclude(method=["HEAD", "OPTIONS"])


pytestmark = pytest.mark.usefixtures("vision")


@pytest.fixture(params=["nobody", "owner", "write_token"])
def who(request):
    """Nobody, a user, or a project token."""
    return None if request.param == "nobody" else request.getfixturevalue(request.param)


@pytest.fixture(
    params=["administrator", "stranger", "read_token", "other_token", "write_token", "owner"]
)
def anyone(request):
    """Every kind of caller with a token."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def ids(owner, viewer, project, write_token, target):
    """The ids of what there is, by their names in paths."""
    return {
        "user_id": owner.id,
        "member_id": viewer.id,
        "project_id": project.id,
        "token_id": write_token.id,
        "target_id": target.id,
    }


EXCLUSIVE = (("member", "deleted"), ("rating_min", "name_prefix"))


def leave_out(query):
    """Leave out one of two parameters that cannot be combined."""
    for one, other in EXCLUSIVE:
        if one in query:
            query.pop(other, None)


def aim(case, ids):
    """Let a case be about what there is; what is wrong with it stays wrong."""
    for name in case.path_parameters.keys() & ids:
        if re.fullmatch("[1-9][0-9]{0,18}", str(case.path_parameters[name])):
            of_member = name == "user_id" and "/member/" in case.operation.path
            case.path_parameters[name] = ids["member_id" if of_member else name]
    if case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE:
        # A cursor has a checksum, an image is more than base64, and 60.0 is no
        # whole number as we read it, though JSON Schema says so.
        case.query.pop("cursor", None)
        # Each is good, but not both: OpenAPI has no word for that.
        leave_out(case.query)
        # A key that was sent before, with something else, is a 422.
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = uuid.uuid4().hex
        # Fields outside JSON are texts, with the limits that JSON's have.
        if case.media_type == "image/jpeg":
            case.body = drawn()
            case.query.clear()
        elif case.media_type == "multipart/form-data":
            case.body = {"image": drawn()}
        body = case.body if isinstance(case.body, dict) else {}
        if isinstance(body.get("image"), str):
            body["image"] = IMAGE
        if isinstance(body.get("ttl"), float):
            body["ttl"] = int(body["ttl"])


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case, app, who, ids):
    ask(case, app, who, ids)


@pytest.mark.soak
@schema.parametrize()
@settings(max_examples=MANY_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_thousands_of_answers_are_as_described(case, app, anyone, ids):
    ask(case, app, anyone, ids)


def ask(case, app, who, ids):
    aim(case, ids)
    case.operation.schema.app = app.app
    # A picture that it has among its samples counts as a wrong body, and is none.
    is_file = case.media_type in ("image/jpeg", "multipart/form-data")
    case.call_and_validate(
        app=app.app,
        headers=who.headers if who else {},
        excluded_checks=[negative_data_rejection] if is_file else [],
    )
