"""``/admin/check/``: what a picture is worth as a target, before it is stored or without that.

Whoever sees a project may ask: nothing is written, and the answer names targets of that project
alone. The server that is asked (`ar_targets.vision_client`) limits how many are at it.
"""

import base64
import logging
from typing import Any

import flask

from ..images.heatmap import coloured
from ..images.jpeg import Jpeg
from ..vision_client import Analysed, VisionBusyError, VisionError, VisionPictureError
from . import context, upload
from .analysis import Judgement, judgement_by
from .form import Refusal, field
from .lookup import project_named
from .page import Page, found, path
from .role import role_in
from .template_filters import short

log = logging.getLogger(__name__)

AWAY = "the server that examines pictures cannot be reached; try again later"
BUSY = "the server that examines pictures has enough to do; try again in a moment"


class CheckPage(Page):
    """Check a picture: it is examined, and not stored."""

    @path("/")
    def index(self) -> Any:
        """Render the form."""
        return self.page(flask.request.args.get("project", ""))

    @path("/", "POST")
    def check(self) -> Any:
        """Render what was found out about a picture."""
        name = field("project")
        try:
            project_id, _ = project_named(name)
            jpeg = upload.proven(flask.request.files.get("image"))
            analysed = examined(project_id, jpeg)
        except VisionPictureError as wrong:
            return self.page(name, wrong={"image": f"it cannot be examined: {wrong}"}), 400
        except VisionError as away:
            return self.page(name, wrong={"": reason(away)}), 503
        except Refusal as refused:
            return self.page(name, wrong=refused.wrong), refused.status
        return self.page(
            name,
            jpeg=jpeg,
            judgement=judgement_by(project_id, analysed),
            heatmap=base64.b64encode(coloured(analysed.assessment.heatmap)).decode(),
        )

    def page(self, project: str, **found_out: Any) -> str:
        """The page, with what was found out or refused."""
        shown: dict[str, Any] = {"wrong": {}, "judgement": None} | found_out
        text: str = self.render(
            "check.html",
            project=project,
            settings=context.settings(),
            configured=bool(context.settings().vision_url),
            **shown,
        )
        return text

    @path("/<int:project_id>/", "POST")
    def before_upload(self, project_id: int) -> Any:
        """Whether a picture is weak, for the drop zone; 200 as well where that is not known."""
        found(role_in(project_id))
        try:
            jpeg = upload.proven(flask.request.files.get("image"))
            judgement = judgement_by(project_id, examined(project_id, jpeg))
        except Refusal as refused:
            return upload.refusal_answer(refused)
        except VisionPictureError as wrong:
            told = f"It cannot be examined: {wrong}."
            return {"warning": told, "reasons": [], "similar": []}
        except VisionError as away:
            return {"unknown": reason(away)}
        return verdict(judgement)


def examined(project_id: int, jpeg: Jpeg) -> Analysed:
    """What the vision server finds out about a picture. Raises VisionError.

    It takes a second or more, for which no connection to the database is kept.
    """
    context.release()
    return context.vision().analyse(project_id, jpeg.data)


def reason(away: VisionError) -> str:
    """Why a picture was not examined, for whoever waits; the log has the rest."""
    log.warning("a picture was not checked: %s", away)
    return BUSY if isinstance(away, VisionBusyError) else AWAY


def verdict(judgement: Judgement) -> dict[str, Any]:
    """A judgement for the script of the drop zone: a picture without a warning is stored."""
    return {
        "warning": judgement.warning,
        "reasons": judgement.reasons,
        "similar": [
            {
                "name": short(one.name or "") or f"Target #{one.id}",
                "url": flask.url_for("target.details_view", id=one.id),
                "similarity": one.similarity,
            }
            for one in judgement.similar
        ],
    }
