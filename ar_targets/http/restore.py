"""Restoring a row by the API: what each outcome of `models.soft_delete.restore` means."""

from pyramid.httpexceptions import HTTPConflict, HTTPNotFound
from pyramid.request import Request

from ..auth.policy import path_id
from ..errors import FieldError, problem
from ..models import soft_delete
from ..models.noun import SoftDeletable
from .representation import found


def restore_row(request: Request, noun: type[SoftDeletable], parent_id: int) -> int:
    """Restore the row of a noun that the path names; its id. A live one stays as it is.

    Raises 404 for a row that is not the parent's, never was or is purged, and 409 where its
    label is taken meanwhile.
    """
    row_id: int = found(path_id(request, f"{noun.__tablename__}_id"))
    try:
        soft_delete.restore(request.db, noun, row_id, parent_id=parent_id)
    except soft_delete.AliveError:
        pass
    except soft_delete.TakenError as taken:
        raise problem(HTTPConflict, FieldError("body", noun.label, str(taken))) from None
    except soft_delete.RestoreError:
        raise HTTPNotFound from None
    return row_id
