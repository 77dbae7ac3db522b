"""The panel's forms: validated with the API's schemas, and the errors beside their fields."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import flask
from flask_admin.form import BaseForm
from sqlalchemy.exc import IntegrityError
from wtforms import Form, HiddenField

from ..db.base import parse_id
from ..errors import CHANGED_MEANWHILE, taken_value
from ..models.limit import LimitReachedError
from ..models.membership import AlreadyMemberError
from ..models.project import OwnerGoneError
from ..models.soft_delete import RestoreError
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


class NounForm(BaseForm):  # type: ignore[misc]
    """A form about a row; ``revision`` is that of the row when it was rendered."""

    revision = HiddenField()

    @property
    def expected_revision(self) -> int | None:
        """The revision that the row must still have, for optimistic locking."""
        return parse_id(str(self.revision.data or ""))


def field(name: str) -> str:
    """The text of a form field; empty if it was not sent."""
    return flask.request.form.get(name, "")


def texts(form: Form, *names: str) -> dict[str, str]:
    """The texts of fields. Browsers send line breaks as CRLF (HTML, 4.10.22.4)."""
    return {name: str(form[name].data or "").replace("\r\n", "\n") for name in names}


def load(body: Body, data: Mapping[str, object]) -> dict[str, Any]:
    """Validate form data with one of the API's schemas. Raises Refusal (400)."""
    fields, wrong = body.load_texts(data)
    if wrong:
        raise Refusal(400, wrong)
    return fields


def changed(result: Result | None) -> Result:
    """The result of a change. Raises Refusal (409) if no row had the expected revision."""
    if not result:
        raise Refusal(409, {"": CHANGED_MEANWHILE})
    return result


def refuse(form: Form, refused: Refusal) -> None:
    """Put the messages beside their fields, or above them, and set the response's status."""
    for name, text in refused.wrong.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
        else:
            form.form_errors.append(text)
    answer_with(refused.status)


def answer_with(status: int) -> None:
    """Set the status of the response to this request, if that is a page and no redirect."""

    @flask.after_this_request
    def set_status(response: flask.Response) -> flask.Response:
        if response.status_code == 200:
            response.status_code = status
        return response


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
    except AlreadyMemberError:
        raise Refusal(409, {"login": "this user is a member already"}) from None
    except (LastAdministratorError, LimitReachedError, OwnerGoneError, RestoreError) as error:
        raise Refusal(409, {"": str(error)}) from None
