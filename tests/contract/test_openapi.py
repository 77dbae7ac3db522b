"""The API's description against the code, in both directions: neither says what the other does not.

What is answered is held against it by `tests.client`, in every functional
test; that each answer that is described is given, by ``test_openapi_answers``.
"""

import json
import re
import string

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from ar_targets.http.body import MOST_MARKS, PLAIN_LIMIT
from ar_targets.http.pagination import LIMIT_DEFAULT, LIMIT_MAX
from ar_targets.images import base64_jpeg
from ar_targets.images.jpeg import MAX_SCANS
from ar_targets.permissions import Permission
from ar_targets.resources import OWN_PROJECT, WRITE_TARGETS
from ar_targets.schemas.body import Body

from ..client import JSON
from ..description import Description
from ..nouns.test_user import OPEN_CREDENTIALS, SELF_CREDENTIALS
from .test_credentials import TABLE, rows

JSON_TYPES = {
    "Text": "string",
    "Base64Text": "string",
    "Integer": "integer",
    "Number": "number",
    "Boolean": "boolean",
    "JsonText": None,
}


@pytest.fixture(scope="module")
def document(shared_app):
    return shared_app.registry.description.document


@pytest.fixture(scope="module")
def checked(document):
    return Description(document)


@pytest.fixture(scope="module")
def services(shared_app):
    """(path, method) → the arguments of the view that answers it."""
    return {
        (path_of(service), method): arguments
        for service in shared_app.registry.cornice_services.values()
        for method, _, arguments in service.definitions
    }


def path_of(service):
    """``/api/user/{user_id:[1-9]…}`` → ``/api/user/{user_id}``."""
    return re.sub(r"{(\w+):.*?}(?=/|$)", r"{\1}", service.path)


def operations(document):
    """(path, method) → the operation."""
    return {
        (path, method.upper()): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "responses" in operation
    }


def body_schemas(document, services):
    """(name of its component, its schema, the Body that reads it) for each request body."""
    found = {}
    for place, arguments in services.items():
        if "schema" in arguments:
            content = operations(document)[place]["requestBody"]["content"]
            if JSON not in content:
                continue
            name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
            found.setdefault(name, []).append(arguments["schema"])
    return [
        (name, document["components"]["schemas"][name], body)
        for name, bodies in found.items()
        for body in bodies
    ]


@pytest.mark.parametrize(
    "settings", [{}, {"user_access": "self"}, {"cors_origins": "https://a.example"}]
)
def test_it_is_good_openapi(make_app, settings):
    served = make_app(**settings).get("/api/openapi.json").json
    validate(served)
    assert served["openapi"].startswith("3.1.")
    assert "${" not in str(served)


def test_it_has_every_path_and_method(shared_app, document):
    served = {
        (path_of(service), method)
        for service in shared_app.registry.cornice_services.values()
        for method in (*service.defined_methods, "OPTIONS")
    }
    described = set(operations(document))
    assert served - described == set()
    assert described - served == set()


def test_every_path_names_its_parameters(document):
    for path, item in document["paths"].items():
        shared = [resolved(document, one) for one in item["parameters"]]
        named = {one["name"] for one in shared if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_every_operation_can_be_told_from_the_others(document):
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))
    tags = {tag for operation in operations(document).values() for tag in operation["tags"]}
    assert tags == {tag["name"] for tag in document["tags"]}
    assert all(operation["summary"] for operation in operations(document).values())


def resolved(document, node):
    if "$ref" not in node:
        return node
    for key in node["$ref"].removeprefix("#/").split("/"):
        document = document[key]
    return document


def test_no_component_is_without_use(document):
    named = {
        f"#/components/{kind}/{name}"
        for kind, components in document["components"].items()
        for name in components
        if kind != "securitySchemes"
    }
    # OpenAPI has no place for what holds for all other methods.
    used = set(re.findall(r"#/components/\w+/\w+", str(document)))
    assert named - used == {"#/components/responses/MethodNotAllowed"}
    assert used <= named


# Whom the tables of credentials let in → what the description asks for.
KINDS = {
    "none": {},
    "owner": {"user_token": []},
    "read": {"project_token": ["read"]},
    "write": {"project_token": ["write"]},
}


def security_in(table):
    """(path with {} for ids, method) → the credentials of which one is needed."""
    wanted = {}
    for method, path, statuses in rows(table):
        if path.startswith("/api/user/{administrator}"):
            continue
        place = re.sub(r"/({\w+}|docs\.js)(?=/|$)", "/{}", path), method
        let_in = [kind for kind in KINDS if statuses[kind] < 300]
        if "read" in let_in:
            let_in.remove("write")
        # Where a token is not even looked at, none is described.
        wanted[place] = [] if statuses["garbage"] < 300 else [KINDS[kind] for kind in let_in]
    return wanted


@pytest.mark.parametrize(
    ("mode", "table"), [("open", OPEN_CREDENTIALS), ("self", SELF_CREDENTIALS)]
)
def test_security_is_what_the_tables_of_credentials_say(make_app, mode, table):
    document = make_app(user_access=mode).registry.description.document
    described = {
        (re.sub(r"{\w+}", "{}", path), method): operation["security"]
        for (path, method), operation in operations(document).items()
        if method != "OPTIONS"
    }
    assert described == security_in(TABLE) | security_in(table)


def test_security_follows_the_permissions(document, services):
    for place, operation in operations(document).items():
        needed = {name for one in operation["security"] for name in one}
        permission = services.get(place, {}).get("permission")
        if isinstance(permission, Permission):
            users = {"user_token"} if permission not in WRITE_TARGETS else set()
            apps = {"project_token"} if permission in WRITE_TARGETS else set()
            both = {"user_token", "project_token"}
            assert needed == (both if permission in OWN_PROJECT and apps else users | apps)
        else:
            assert needed == set()


def test_bodies_have_the_fields_of_their_schemas(document, services):
    compared = body_schemas(document, services)
    # That of an image alone is no JSON.
    assert len(compared) == sum("schema" in arguments for arguments in services.values()) - 1
    for _, schema, body in compared:
        nodes = {node.name: node for node in body.children}
        assert schema["properties"].keys() == nodes.keys()
        assert set(schema.get("required", ())) == {n for n in nodes if nodes[n].required}
        for name, node in nodes.items():
            described = schema["properties"][name]
            kind = JSON_TYPES[type(node.typ).__name__]
            assert described.get("type") == ([kind, "null"] if kind and node.nullable else kind)
            if node.missing is None or isinstance(node.missing, str | bool):
                assert described["default"] == node.missing
            elif name != "ttl":
                assert "default" not in described


def test_bodies_ignore_what_is_read_only_and_refuse_the_rest(document, services):
    for _, schema, body in body_schemas(document, services):
        assert schema["additionalProperties"] is False
        patterns = list(schema.get("patternProperties", {}))
        ignored = set(patterns[0][2:-2].split("|")) if patterns else set()
        assert ignored == body.read_only


def test_a_body_is_described_where_one_is_read_and_nowhere_else(document, services):
    for place, operation in operations(document).items():
        assert ("requestBody" in operation) == ("schema" in services.get(place, {}))
        if "requestBody" in operation:
            optional = any(
                validator.__name__ == "optional_json_body"
                for validator in services[place]["validators"]
            )
            assert operation["requestBody"]["required"] is not optional


LENGTHS = [0, 1, 2, 7, 8, 9, 63, 64, 65, 127, 128, 129, 254, 255, 256, 257]
SPACES = [" ", "\t", "\n", " \n ", "\u2003", "\u00a0", "\x1c"]
TTL = 31_536_000
EDGES = [
    *(letter * length for letter in ("x", "é", "\N{LION FACE}", " ") for length in LENGTHS),
    *(before + "x" * n + after for n in (0, 1, 255, 256) for before in SPACES for after in SPACES),
    *("x" * length for length in (65_535, 65_536)),
    *("read", "write", "READ", "write ", "\0", "x\0", "\0x", "x\0x", "x\ny", "60"),
    *(0, 1, -1, 60, TTL, TTL + 1, 2**63, 2**64, -(2**63)),
    # 5.0 is an integer to JSON Schema, but no whole number as we read it.
    *(0.5, 1.5, 1e-300),
    *(None, True, False, [], ["x"], {}, {"x": 1}),
]
VALUES = st.one_of(
    st.sampled_from(EDGES),
    st.text(max_size=12).filter(lambda text: not re.search("[\ud800-\udfff]", text)),
    st.text(alphabet=string.whitespace + "x", max_size=4),
)


def accepts(body: Body, data, app) -> bool:
    """Whether the application takes it, as far as fields alone decide."""
    if data.get("metadata") is not None:
        raw = msgspec.Raw(json.dumps(data["metadata"]).encode())
        data = data | {"metadata": raw}
    fields, wrong = body.load(data)
    longest = app.registry.ar_settings.project_token_max_ttl
    if not wrong and "ttl" in fields:
        return 1 <= fields["ttl"] <= longest
    return not wrong


def agree(checked, app, name, body, sent):
    """Whether the description calls a body good that the application takes, and no other."""
    if isinstance(sent.get("image"), str):
        # Whether a text is an image is another matter.
        schema = checked.document["components"]["schemas"][name]
        sent["image"] = schema["properties"]["image"]["examples"][0]
    if "\\u0000" in json.dumps(sent.get("metadata")):
        # JSON Schema has no word for strings at any depth.
        del sent["metadata"]
    described_as_good = checked.validator("components", "schemas", name).is_valid(sent)
    return described_as_good == accepts(body, sent, app)


def test_fields_have_the_limits_that_are_described(document, checked, services, shared_app):
    for name, schema, body in body_schemas(document, services):
        for node in body.children:
            for value in EDGES:
                sent = schema["examples"][0] | {node.name: value}
                assert agree(checked, shared_app, name, body, sent), (name, node.name, value)


@hypothesis_settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_body_is_described_as_good_where_it_is_taken(
    data, document, checked, services, shared_app
):
    name, _, body = data.draw(st.sampled_from(body_schemas(document, services)))
    fields = [node.name for node in body.children]
    others = [*sorted(body.read_only), "nonsense", "Id", "xid", "idx"]
    names = set(data.draw(st.sampled_from([fields, []])))
    names |= set(data.draw(st.lists(st.sampled_from(fields + others), max_size=3)))
    sent = {one: data.draw(VALUES) for one in sorted(names)}
    assert agree(checked, shared_app, name, body, sent), sent


def test_examples_are_good(document, checked):
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            checked.validator("components", "schemas", name).validate(example)
    for name, response in document["components"]["responses"].items():
        for content in response.get("content", {}).values():
            where = ("components", "responses", name, "content", "application/json", "schema")
            checked.validator(*where).validate(content["example"])


def test_every_request_body_has_an_example(document, services):
    for _, schema, _ in body_schemas(document, services):
        assert schema["examples"]


def test_the_image_of_the_example_is_one(document, shared_app):
    schemas = document["components"]["schemas"]
    example = schemas["TargetBody"]["examples"][0]["image"]
    jpeg = base64_jpeg.read(example, shared_app.registry.ar_settings)
    shown = {
        name: schemas["Target"]["properties"][name]["examples"][0]
        for name in ("width", "height", "sha256", "size")
    }
    assert shown == {
        "width": jpeg.width,
        "height": jpeg.height,
        "sha256": jpeg.sha256,
        "size": len(jpeg.data),
    }


def test_all_fields_of_a_response_are_always_there(document, services):
    bodies = {"TargetForm", "ImageForm"} | {name for name, _, _ in body_schemas(document, services)}
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema and name not in bodies:
            optional = schema["properties"].keys() - set(schema["required"])
            # What a list has only where it is asked for.
            assert optional <= {"analysis", "metadata", "deleted_at", "role", "similar"}


def test_limits_are_those_of_the_code(document):
    limit = document["components"]["parameters"]["Limit"]["schema"]
    assert (limit["maximum"], limit["default"]) == (LIMIT_MAX, LIMIT_DEFAULT)
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Page"):
            assert schema["properties"]["items"]["maxItems"] == LIMIT_MAX
    assert f"{PLAIN_LIMIT:,} bytes" in document["info"]["description"]
    assert f"{MOST_MARKS:,} commas" in document["info"]["description"]


def test_limits_are_those_of_the_settings(make_app):
    app = make_app(
        image_max_bytes=123_456,
        image_max_pixels=777_777,
        project_token_ttl=222,
        project_token_max_ttl=333_333,
        login_token_ttl=4444,
        login_failures="7 per 3 minutes",
        login_failures_per_address="99 per 1 hour",
        user_change_rate="55 per 2 days",
    )
    served = app.get("/api/openapi.json").json
    schemas = served["components"]["schemas"]
    for name in ("TokenBody", "TokenTtlBody", "TokenTtlPatch"):
        assert schemas[name]["properties"]["ttl"]["maximum"] == 333_333
    assert schemas["TokenBody"]["properties"]["ttl"]["default"] == 222
    for name in ("TargetBody", "TargetPatch"):
        described = schemas[name]["properties"]["image"]
        assert "123,456 bytes, 777,777 pixels" in described["description"]
        assert f"and {MAX_SCANS} scans" in described["description"]
        assert described["maxLength"] == base64_jpeg.largest_body(app.registry.ar_settings)
    log_in = served["paths"]["/api/login"]["post"]
    assert "7 in 3 minutes" in log_in["description"]
    assert "99 in 1 hour for one address" in log_in["description"]
    limited = served["components"]["responses"]["TooManyChanges"]
    assert "55 in 2 days" in limited["description"]
    assert "4,444 seconds" in log_in["responses"]["200"]["description"]


def test_headers_of_cors_are_described_where_they_are_sent(make_app):
    without, some, every = ("", "https://a.example", "*")
    assert "Access-Control" not in make_app(cors_origins=without).get("/api/openapi.json").text
    for origins in (some, every):
        assert "Access-Control-Max-Age" in make_app(cors_origins=origins).get("/api/openapi.json")
