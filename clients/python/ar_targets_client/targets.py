"""``/api/project/<id>/imagetarget``."""

import base64
import hashlib
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .analysis import Analysis, similar_error
from .answer import not_ours
from .dates import http_date
from .errors import ClientError, ConflictError
from .fields import IMAGE_MAX, Status
from .payload import form
from .records import Target
from .retry import retry_after
from .single import Single
from .transport import Transport
from .unset import UNSET, Unset

# Maximum bytes of a target's JSON: the largest image in base64, and the other fields, of which
# the metadata has up to 2 MiB.
JSON_MAX = IMAGE_MAX // 3 * 4 + 4 * 2**20
# Seconds between two questions for an analysis, where the server asks for no more.
POLL = 1.0
PNG = b"\x89PNG\r\n\x1a\n"


class Targets(Single[Target]):
    """The image targets of one project; needs one of its tokens."""

    record = Target
    project_id: int

    def __init__(self, transport: Transport, project_id: int) -> None:
        super().__init__(transport)
        self.project_id = project_id
        self.path = f"/project/{project_id}/imagetarget"

    def create(
        self,
        image: bytes,
        description: str = "",
        *,
        name: str | None = None,
        physical_width: float | None = None,
        active: bool = True,
        metadata: Any = None,
        allow_similar: bool = True,
        idempotency_key: str | None = None,
    ) -> Target:
        """Store a JPEG. ``physical_width`` is in metres, ``metadata`` any JSON.

        Raises ConflictError if another target of the project has the name, or a limit is
        reached; without ``allow_similar`` SimilarTargetError if the project has targets that the
        picture may be taken for. Calls with the same ``idempotency_key`` and arguments store one,
        within 24 hours.
        """
        body = form(image, all_fields(name, description, physical_width, active, metadata))
        query = None if allow_similar else {"allow_similar": "false"}
        try:
            return self._create(body, idempotency_key, query)
        except ConflictError as refused:
            raise similar_error(refused) from None

    def list(
        self,
        *,
        name: str | None = None,
        name_prefix: str | None = None,
        active: bool | None = None,
        sha256: str | None = None,
        deleted: bool = False,
        analysis: Status | None = None,
        rating_min: int | None = None,
        metadata: bool = False,
        with_analysis: bool = False,
    ) -> Iterator[Target]:
        """The targets that all filters allow, without their images.

        With ``name_prefix`` in the order of names, with ``rating_min`` the best rating first,
        else in that of ids. ``deleted``: the deleted ones that can be restored. ``analysis``:
        those whose analysis has that status. ``metadata``, ``with_analysis``: with these.
        """
        shown = {"analysis": with_analysis, "metadata": metadata}
        filters = {
            "name": name,
            "name_prefix": name_prefix,
            "active": None if active is None else str(active).lower(),
            "sha256": sha256,
            "deleted": "true" if deleted else None,
            "analysis": analysis,
            "rating_min": None if rating_min is None else str(rating_min),
            "fields": ",".join(field for field, wanted in shown.items() if wanted) or None,
        }
        given = {n: value for n, value in filters.items() if value is not None}
        return self._list(given, by_id=name_prefix is None and rating_min is None)

    def get(self, record_id: int) -> Target:
        """One target, with its image. Raises ClientError if the image's checksum is wrong."""
        answer = self.transport.send("GET", f"{self.path}/{record_id}", most=JSON_MAX)
        data = answer.json()
        try:
            image = base64.b64decode(data["image"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise not_ours(answer.url) from None
        target = self._record(data, record_id, etag=answer.headers.get("ETag"), image=image)
        if not is_image_of(target, image):
            raise ClientError(f"the image of target {record_id} does not have its own checksum")
        return target

    def image(self, target_id: int, *, most: int = IMAGE_MAX) -> bytes:
        """The JPEG as it was stored. Raises TooLongError for more than ``most`` bytes.

        Verify it with `is_image_of`.
        """
        path = f"{self.path}/{target_id}/image"
        return self.transport.send("GET", path, most=most).content

    def check(self, image: bytes) -> Analysis:
        """Analyse a JPEG, which is not stored; needs a token that may write.

        Raises UnavailableError if the server has too much else to analyse.
        """
        path = f"/project/{self.project_id}/analysis"
        return Analysis.read(self.transport.send("POST", path, body=image).json())

    def analysis(self, target_id: int, *, wait: float | None = None) -> Analysis:
        """What is known about a target's picture.

        ``wait``: for so many seconds, ask again while it is pending, as often as the server's
        Retry-After says. It may be pending still after that.
        """
        until = time.monotonic() + (wait or 0)
        while True:
            answer = self.transport.send("GET", f"{self.path}/{target_id}/analysis")
            found = Analysis.read(answer.json())
            left = until - time.monotonic()
            if found.status != "pending" or left <= 0:
                return found
            pause = max(retry_after(answer.headers.get("Retry-After")) or 0, POLL)
            if self.transport.stopping.wait(min(pause, left)):
                return found

    def retry_analysis(self, target_id: int) -> Analysis:
        """Have a target's picture analysed again; needs a token that may write."""
        path = f"{self.path}/{target_id}/analysis/retry"
        return Analysis.read(self.transport.send("POST", path).json())

    def heatmap(self, target_id: int, *, overlay: bool = False) -> bytes:
        """A PNG of where the picture is held well; with ``overlay`` laid over the picture.

        Raises NotFoundError until the analysis is done.
        """
        path = f"{self.path}/{target_id}/analysis/heatmap"
        query = {"overlay": "true"} if overlay else None
        answer = self.transport.send("GET", path, query=query, most=IMAGE_MAX)
        if not answer.content.startswith(PNG):
            raise not_ours(answer.url)
        return answer.content

    def update(
        self,
        target_id: int,
        *,
        image: bytes | None = None,
        description: str | None = None,
        name: str | Unset | None = UNSET,
        physical_width: float | Unset | None = UNSET,
        active: bool | None = None,
        metadata: Any = UNSET,
        etag: str | None = None,
    ) -> Target:
        """Replace the given fields; with ``etag`` only if the target is unchanged.

        None is null for a name, a width and metadata, which UNSET leaves as they are.
        """
        never_null = {
            "image": None if image is None else encode(image),
            "description": description,
            "active": active,
        }
        nullable = {"name": name, "physical_width": physical_width, "metadata": metadata}
        given = {field: value for field, value in never_null.items() if value is not None}
        given |= {field: value for field, value in nullable.items() if value is not UNSET}
        return self._update(target_id, given, etag)

    def replace(
        self,
        target_id: int,
        image: bytes,
        description: str = "",
        *,
        name: str | None = None,
        physical_width: float | None = None,
        active: bool = True,
        metadata: Any = None,
        etag: str | None = None,
    ) -> Target:
        """Replace all of a target: what is left out has its default again."""
        body = form(image, all_fields(name, description, physical_width, active, metadata))
        return self._read("PUT", f"{self.path}/{target_id}", target_id, body=body, etag=etag)

    def replace_image(self, target_id: int, image: bytes, *, sha256: str | None = None) -> Target:
        """Replace the image alone; with ``sha256`` only if that is the present one's checksum.

        The target's ``etag`` is None: the answer has the image's.
        """
        etag = None if sha256 is None else f'"{sha256}"'
        path = f"{self.path}/{target_id}/image"
        answer = self.transport.send("PUT", path, body=image, etag=etag)
        return self._record(answer.json(), target_id)

    def restore(self, target_id: int) -> Target:
        """Restore a deleted target. Raises NotFoundError if it is purged."""
        return self._restore(target_id)

    def server_time(self) -> datetime | None:
        """The server's time (Date header), from a small request that also checks the token."""
        answer = self.transport.send("GET", self.path, query={"limit": "1"})
        return http_date(answer.headers.get("Date"))


def all_fields(
    name: str | None,
    description: str,
    physical_width: float | None,
    active: bool,  # noqa: FBT001
    metadata: Any,
) -> dict[str, Any]:
    """The writable fields beside the image, by name."""
    return {
        "name": name,
        "description": description,
        "physical_width": physical_width,
        "active": active,
        "metadata": metadata,
    }


def is_image_of(target: Target, image: bytes) -> bool:
    """Whether the bytes are the target's image, by size and checksum."""
    return len(image) == target.size and hashlib.sha256(image).hexdigest() == target.sha256


def encode(image: bytes) -> str:
    """Standard base64 on one line."""
    return base64.b64encode(image).decode("ascii")
