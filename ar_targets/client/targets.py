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

# Bytes of the JSON of the largest image: base64 writes three in four, and there are other fields.
JSON_MAX = IMAGE_MAX // 3 * 4 + 2**20


class Targets(Single[Target]):
    """The image targets of one project, for the holder of its token."""

    record = Target
    project_id: int

    def __init__(self, transport: Transport, project_id: int) -> None:
        super().__init__(transport)
        self.project_id = project_id
        self.path = f"/project/{project_id}/imagetarget"

    def create(self, image: bytes, description: str = "") -> Target:
        """Store a JPEG.

        Raises OutcomeUnknownError where the connection is cut: sent again, the
        image could be there twice. `ar_targets.client.upload` looks it up first.
        """
        fields = {"image": encode(image), "description": description}
        return self._create(fields, repeatable=False)

    def list(self) -> Iterator[Target]:
        """All of them, without their images."""
        return self._list()

    def get(self, record_id: int) -> Target:
        """One of them, with its image. Raises ClientError where that is another than it says."""
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
        """The JPEG, byte for byte as it was stored. Raises TooLongError over ``most`` bytes.

        Hold it against the target with `is_image_of`.
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
        """Replace what is given; with ``etag`` only if nobody has changed it since."""
        encoded = None if image is None else encode(image)
        return self._update(target_id, {"image": encoded, "description": description}, etag)

    def server_time(self) -> datetime | None:
        """The server's clock, by a small request that proves the token at the same time."""
        answer = self.transport.send("GET", self.path, query={"limit": "1"})
        return http_date(answer.headers.get("Date"))


def is_image_of(target: Target, image: bytes) -> bool:
    """Whether these bytes are a target's image, by its size and checksum."""
    return len(image) == target.size and hashlib.sha256(image).hexdigest() == target.sha256


def encode(image: bytes) -> str:
    """Standard base64 on one line."""
    return base64.b64encode(image).decode("ascii")
