"""What forms send, held against the schemas of the API; and what is said when it is refused."""

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
    """What is wrong with each field, "" for the whole; shown beside them, with this status."""

    def __init__(self, status: int, wrong: Mapping[str, str]) -> None:
        super().__init__(status, wrong)
        self.status, self.wrong = status, dict(wrong)

    @property
    def text(self) -> str:
        """All of it, for a message of one line."""
        return "; ".join(f"{name}: {text}" if name else text for name, text in self.wrong.items())


def field(name: str) -> str:
    """What was typed into a field."""
    return flask.request.form.get(name, "")


def load(body: Body, data: Mapping[str, object]) -> dict[str, Any]:
    """The fields, as the API would take them. Raises Refusal (400)."""
    fields, wrong = body.load(data)
    if wrong:
        raise Refusal(400, wrong)
    return fields


def revision() -> int | None:
    """The revision of the row that the form was made of, for a change to insist on."""
    text = field("revision")
    return parse_id(text) if text else None


def changed(result: Result | None) -> Result:
    """What a change gave. Raises Refusal (409) where it found no row of that revision."""
    if not result:
        raise Refusal(409, {"": CHANGED_MEANWHILE})
    return result


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the models refuse into a Refusal."""
    try:
        yield
    except IntegrityError as error:
        taken = taken_value(error)
        if taken is None:
            raise
        raise Refusal(409, {taken.name: taken.description}) from None
    except (LastAdministratorError, OwnerGoneError) as error:
        raise Refusal(409, {"": str(error)}) from None
