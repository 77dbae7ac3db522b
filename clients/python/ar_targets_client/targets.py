"""``/api/project/<id>/imagetarget``."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime

from .answer import not_ours
from .dates import http_date
from .errors import ClientError
from .fields import IMAGE_MAX
from .records import Target
from .single import Single
from .transport import Transport

# Maximum bytes of a target's JSON: the largest image in base64, and the other fields.
JSON_MAX = IMAGE_MAX // 3 * 4 + 2**20


class Targets(Single[Target]):
    """The image targets of one project; needs one of its tokens."""

    record = Target
    project_id: int

    def __init__(self, transport: Transport, project_id: int) -> None:
        super().__init__(transport)
        self.project_id = project_id
        self.path = f"/project/{project_id}/imagetarget"

    def create(self, image: bytes, description: str = "") -> Target:
        """Store a JPEG.

        Raises OutcomeUnknownError if the connection is lost: a retry could store the
        image twice. `ar_targets_client.upload` searches for it before it retries.
        """
        fields = {"image": encode(image), "description": description}
        return self._create(fields, repeatable=False)

    def list(self) -> Iterator[Target]:
        """All targets, without their images."""
        return self._list()

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

    def update(
        self,
        target_id: int,
        *,
        image: bytes | None = None,
        description: str | None = None,
        etag: str | None = None,
    ) -> Target:
        """Replace the given fields; with ``etag`` only if the target is unchanged."""
        encoded = None if image is None else encode(image)
        return self._update(target_id, {"image": encoded, "description": description}, etag)

    def restore(self, target_id: int) -> Target:
        """Restore a deleted target. Raises NotFoundError if it is purged."""
        return self._restore(target_id)

    def server_time(self) -> datetime | None:
        """The server's time (Date header), from a small request that also checks the token."""
        answer = self.transport.send("GET", self.path, query={"limit": "1"})
        return http_date(answer.headers.get("Date"))


def is_image_of(target: Target, image: bytes) -> bool:
    """Whether the bytes are the target's image, by size and checksum."""
    return len(image) == target.size and hashlib.sha256(image).hexdigest() == target.sha256


def encode(image: bytes) -> str:
    """Standard base64 on one line."""
    return base64.b64encode(image).decode("ascii")
