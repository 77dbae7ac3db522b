"""Holds what was asked and answered against the API's description; `tests.client` asks for it.

The description lets responses have more fields in later versions; here, all
that there are must be described.
"""

import functools
import json
import re
from copy import deepcopy

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ar_targets import openapi, settings

DOCUMENT = "urn:description"
# Headers that HTTP itself describes.
OF_HTTP = {"content-type", "content-length"}


class Description:
    """An OpenAPI document to hold responses against."""

    def __init__(self, document):
        self.document = document
        self.registry = Registry().with_resource(
            DOCUMENT, DRAFT202012.create_resource(closed(document))
        )
        # Those without a place for an id come first: they are more exact.
        self.templates = [
            (re.compile(re.sub(r"{\w+}", "[^/]+", path.replace(".", r"\."))), path)
            for path in sorted(document["paths"], key=lambda path: path.count("{"))
        ]

    @functools.cache  # noqa: B019  there are few descriptions
    def validator(self, *where):
        """A validator for the schema at a place."""
        schema = {"$ref": DOCUMENT + pointer(*where)}
        return Draft202012Validator(
            schema, registry=self.registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )

    def at(self, *where):
        """What is at a place, and the place: elsewhere, if there is a reference."""
        found = self.document
        for key in where:
            found = found[key]
        if "$ref" in found:
            return self.at(*found["$ref"].removeprefix("#/").split("/"))
        return found, where

    def path_of(self, address):
        """The path that an address belongs to, or None."""
        address = address.removesuffix("/") or "/"
        return next((path for form, path in self.templates if form.fullmatch(address)), None)

    def response_to(self, method, path, status):
        """The place of what is said about a response."""
        operation = self.document["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            assert str(status) in operation["responses"], f"{method} {path}: {status} is new"
            return ("paths", path, method.lower(), "responses", str(status))
        assert status in ({404, 405} if path else {404}), f"{method} {path}: {status}"
        name = "NotFound" if status == 404 else "MethodNotAllowed"
        return ("components", "responses", name)

    def check(self, response, address):
        """Whether a response of the application, and what it took, is as it is described."""
        request = response.request
        path = self.path_of(address)
        described, where = self.at(*self.response_to(request.method, path, response.status_int))
        self.check_headers(response.headers, described, where)
        if request.method != "HEAD":
            self.check_content(response, described, where)
        if path and response.status_int in (200, 201) and request.body:
            self.check_request(request, path)

    def check_headers(self, headers, described, where):
        sent = {name.lower(): value for name, value in headers.items()}
        known = described.get("headers", {})
        assert sent.keys() - OF_HTTP <= {name.lower() for name in known}
        for name in known:
            header, place = self.at(*where, "headers", name)
            value = sent.get(name.lower())
            assert value is not None or not header.get("required"), f"{name} is missing"
            if value is not None:
                number = header["schema"].get("type") == "integer"
                self.validator(*place, "schema").validate(int(value) if number else value)

    def check_content(self, response, described, where):
        if "content" not in described:
            assert response.body == b""
            return
        assert response.content_type in described["content"]
        if response.content_type == "application/json":
            validator = self.validator(*where, "content", "application/json", "schema")
            validator.validate(response.json)

    def check_request(self, request, path):
        """What the application takes must be allowed by the description."""
        operation = ("paths", path, request.method.lower())
        if "requestBody" in self.at(*operation)[0]:
            content = (*operation, "requestBody", "content")
            assert request.content_type.lower() in self.at(*content)[0]
            if request.content_type == "application/json":
                place = (*content, "application/json", "schema")
                self.validator(*place).validate(json.loads(request.body))


def pointer(*where):
    """A JSON pointer, as a fragment."""
    return "#" + "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in where)


def closed(document):
    """A copy in which no object may have fields that are not described."""
    copy = deepcopy(document)
    todo = [copy]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if "properties" in node:
                node.setdefault("additionalProperties", False)
            todo += node.values()
        elif isinstance(node, list):
            todo += node
    return copy


@functools.lru_cache(maxsize=8)
def description_of(app):
    """The description that an application gives of itself."""
    return Description(app.registry.description.document)


@functools.cache
def default_document():
    """The description that default settings make; it takes neither a database nor a key."""
    needed = {"database_url": "mysql+pymysql://nobody@localhost/none", "jwt_keys": "k" * 32}
    ini = {settings.PREFIX + name: text for name, text in needed.items()}
    return openapi.Description(settings.load(ini, {})).document
