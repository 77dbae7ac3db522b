"""Adds the parts that all paths have in common, which `description.yaml` need not repeat.

These are HEAD for every GET, OPTIONS, the request ID, the headers that every
response has, and those of CORS where an origin is allowed.
"""

from typing import Any

Json = dict[str, Any]

TAG = "other methods"
# Range requests are defined for GET only (RFC 9110, 14.2).
NOT_OF_HEAD = {"206", "416"}
PARAMETERS_NOT_OF_HEAD = {"Range", "IfRange"}
# Name of a header → its component.
ALWAYS = {
    "X-Request-ID": "RequestId",
    "X-Content-Type-Options": "ContentTypeOptions",
    "Content-Security-Policy": "NoPage",
    "Cross-Origin-Resource-Policy": "SameOrigin",
    "Referrer-Policy": "NoReferrer",
}
CORS = {
    "Access-Control-Allow-Origin": "AllowOrigin",
    "Access-Control-Expose-Headers": "ExposeHeaders",
    "Vary": "Vary",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "AllowMethods",
    "Access-Control-Allow-Headers": "AllowHeaders",
    "Access-Control-Max-Age": "MaxAge",
}


def complete(document: Json, origins: frozenset[str]) -> Json:
    """The completed document. ``origins`` may call the API from other web pages (CORS)."""
    document.pop("x-shared")
    components = document["components"]
    for path, item in document["paths"].items():
        if "get" in item:
            item["head"] = head(item["get"])
        item["options"] = options(path, item)
        item["parameters"] = [*item.get("parameters", []), reference("parameters", "RequestId")]
    headers = ALWAYS | (CORS if origins else {})
    for response in inline_responses(document):
        add_headers(response, headers)
    if origins:
        add_headers(components["responses"]["Options"], PREFLIGHT)
    else:
        for name in (*CORS.values(), *PREFLIGHT.values()):
            del components["headers"][name]
    return document


def reference(kind: str, name: str) -> Json:
    """A ``$ref`` to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def head(get: Json) -> Json:
    """The HEAD operation for a GET: the same, without a response body."""
    left_out = [reference("parameters", name) for name in PARAMETERS_NOT_OF_HEAD]
    return {
        "operationId": f"{get['operationId']}_head",
        "tags": [TAG],
        "summary": "As GET, without the body",
        "security": get["security"],
        "parameters": [one for one in get.get("parameters", []) if one not in left_out],
        "responses": {
            status: without_content(response)
            for status, response in get["responses"].items()
            if status not in NOT_OF_HEAD
        },
    }


def without_content(response: Json) -> Json:
    """The response without its body; a ``$ref``, as errors are, stays unchanged."""
    return {name: value for name, value in response.items() if name != "content"}


def options(path: str, item: Json) -> Json:
    """The OPTIONS operation of a path; it needs no credentials, since browsers send none."""
    responses = {"204": reference("responses", "Options")}
    if "{" in path:
        responses["404"] = reference("responses", "NotFound")
    first = next(one for one in item.values() if "operationId" in one)
    return {
        "operationId": f"{first['operationId']}_options",
        "tags": [TAG],
        "summary": "The methods of the path",
        "security": [],
        "responses": responses,
    }


def inline_responses(document: Json) -> list[Json]:
    """All responses that are not a ``$ref``."""
    operations = [
        operation
        for item in document["paths"].values()
        for operation in item.values()
        if "responses" in operation
    ]
    found = [one for operation in operations for one in operation["responses"].values()]
    found += document["components"]["responses"].values()
    return [response for response in found if "$ref" not in response]


def add_headers(response: Json, names: dict[str, str]) -> None:
    """Add headers (name → component) to a response; those that it has already stay."""
    more = {name: reference("headers", component) for name, component in names.items()}
    response["headers"] = more | response.get("headers", {})
