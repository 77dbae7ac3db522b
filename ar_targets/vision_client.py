"""How the API and the worker ask `ar_targets_vision`: the one class for it, with timeouts.

It imports nothing that decodes pictures.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import orjson
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from .settings import PREFIX, Settings
from .telemetry import request_context
from .vision.assessment import Assessment, Problem

Answer = TypeVar("Answer")

CONNECT_SECONDS = 2.0
# Connections that are kept; more are opened where more are needed.
CONNECTIONS = 16
# Seconds to wait where the server does not say.
RETRY_AFTER = 1
# A connection that cannot be made is tried once more: a balancer may have another server by then.
# Nothing else is: who asks is waiting.
RETRIES = Retry(total=1, connect=1, read=0, redirect=0, status=0, other=0)


class VisionError(Exception):
    """There is no answer; the message says why."""


class VisionBusyError(VisionError):
    """The server has enough to do; ``retry_after`` is in seconds."""

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class VisionAwayError(VisionError):
    """The server cannot be reached, does not answer in time, or not sensibly."""


class VisionPictureError(VisionError):
    """The picture is at fault; asking again would not help."""


class Similar(NamedTuple):
    """A target that a camera would confuse with the picture."""

    id: int
    # 0…1; 1 is a copy.
    value: float


@dataclass(frozen=True, slots=True)
class Analysed:
    """What is known about a picture that is not stored."""

    version: int
    assessment: Assessment
    similar: list[Similar]


class VisionClient:
    """For any number of threads. Its methods raise VisionError."""

    def __init__(self, url: str, key: str, timeout: float) -> None:
        """``timeout`` is in seconds, for a whole answer; without a URL the server is away."""
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "image/jpeg"}
        self._connections = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            retries=RETRIES,
            timeout=Timeout(connect=min(CONNECT_SECONDS, timeout), total=timeout),
        )

    @classmethod
    def of(cls, settings: Settings) -> "VisionClient":
        """As the settings say."""
        return cls(settings.vision_url, settings.vision_key, settings.vision_timeout)

    def analyse(self, project_id: int, jpeg: bytes) -> Analysed:
        """Judge a picture, and find the project's live targets that are similar."""
        return self._ask(f"/project/{project_id}/analysis", jpeg, _analysed)

    def similar(self, project_id: int, jpeg: bytes) -> list[Similar]:
        """The project's live targets that are similar to a picture, most similar first."""
        return self._ask(f"/project/{project_id}/similar", jpeg, _similar)

    def similar_to(self, project_id: int, target_id: int) -> list[Similar]:
        """All other targets that are similar to one with stored features, deleted ones too."""
        return self._ask(f"/project/{project_id}/target/{target_id}/similar", b"", _similar)

    def _ask(self, path: str, body: bytes, read: Callable[[Any], Answer]) -> Answer:
        if not self._url:
            raise VisionAwayError(f"{PREFIX}vision_url is not set")
        headers = self._headers | {"X-Request-ID": request_context.current.get().request_id}
        try:
            answer = self._connections.request("POST", self._url + path, body=body, headers=headers)
        except HTTPError as error:
            raise VisionAwayError(f"no answer from {self._url}: {error}") from error
        try:
            told = orjson.loads(answer.data)
            if answer.status == 200:
                return read(told)
            reason = str(told["error"])
        except (ValueError, KeyError, TypeError) as error:
            raise VisionAwayError(f"{self._url} answered {answer.status} without sense") from error
        if answer.status == 422:
            raise VisionPictureError(reason)
        if answer.status == 503:
            raise VisionBusyError(reason, _retry_after(answer.headers))
        raise VisionAwayError(f"{self._url} answered {answer.status}: {reason}")


def _retry_after(headers: Mapping[str, str]) -> int:
    text = headers.get("Retry-After", "")
    return int(text) if text.isdecimal() else RETRY_AFTER


def _similar(told: Mapping[str, Any]) -> list[Similar]:
    return [Similar(each["id"], each["similarity"]) for each in told["similar"]]


def _analysed(told: Mapping[str, Any]) -> Analysed:
    problems = tuple(
        Problem(**each | {"area": each["area"] and tuple(each["area"])})
        for each in told["problems"]
    )
    assessment = Assessment(
        trackability=told["trackability"],
        rating=told["rating"],
        features=told["features"],
        problems=problems,
        heatmap=base64.b64decode(told["heatmap"], validate=True),
    )
    return Analysed(told["version"], assessment, _similar(told))
