"""``/api/project/<id>/imagetarget``."""

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .records import Target
from .single import Single
from .transport import Transport, json_of, not_ours


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
        """One of them, with its image."""
        response = self.transport.send("GET", f"{self.path}/{record_id}")
        data: Any = json_of(response)
        try:
            image = base64.b64decode(data["image"], validate=True)
        except (KeyError, TypeError, binascii.Error):
            raise not_ours(response.url) from None
        return self._record(data, record_id, etag=response.headers.get("ETag"), image=image)

    def image(self, target_id: int) -> bytes:
        """The JPEG, byte for byte as it was stored."""
        return self.transport.send("GET", f"{self.path}/{target_id}/image").content

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
        response = self.transport.send("GET", self.path, query={"limit": "1"})
        try:
            return parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return None


def encode(image: bytes) -> str:
    """Standard base64 on one line."""
    return base64.b64encode(image).decode("ascii")
