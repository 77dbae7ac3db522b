"""Form fields, validated with the API's schemas, and the errors that are shown beside them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import flask
from sqlalchemy.exc import IntegrityError

from ..db.base import parse_id
from ..errors import CHANGED_MEANWHILE, taken_value
from ..models.project import OwnerGoneError
from ..models.user import LastAdministratorError
from ..schemas.body import Body

Result = TypeVar("Result")


class Refusal(Exception):  # noqa: N818  # nothing has failed
    """Why a form is refused: an HTTP status, and a message for each field.

    The field "" is for messages about the form as a whole.
    """

    def __init__(self, status: int, wrong: Mapping[str, str]) -> None:
        super().__init__(status, wrong)
        self.status, self.wrong = status, dict(wrong)

    @property
    def text(self) -> str:
        """All messages on one line."""
        return "; ".join(f"{name}: {text}" if name else text for name, text in self.wrong.items())


def field(name: str) -> str:
    """The text of a form field; empty if it was not sent."""
    return flask.request.form.get(name, "")


def load(body: Body, data: Mapping[str, object]) -> dict[str, Any]:
    """Validate form data with one of the API's schemas. Raises Refusal (400)."""
    fields, wrong = body.load_texts(data)
    if wrong:
        raise Refusal(400, wrong)
    return fields


def revision() -> int | None:
    """The row's revision when the form was rendered, for optimistic locking."""
    text = field("revision")
    return parse_id(text) if text else None


def changed(result: Result | None) -> Result:
    """The result of a change. Raises Refusal (409) if no row had the expected revision."""
    if not result:
        raise Refusal(409, {"": CHANGED_MEANWHILE})
    return result


@contextmanager
def refusals() -> Iterator[None]:
    """Turn constraint violations and errors of the models into Refusal (409)."""
    try:
        yield
    except IntegrityError as error:
        taken = taken_value(error)
        if taken is None:
            raise
        raise Refusal(409, {taken.name: taken.description}) from None
    except (LastAdministratorError, OwnerGoneError) as error:
        raise Refusal(409, {"": str(error)}) from None
