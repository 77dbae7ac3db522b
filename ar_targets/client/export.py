"""A project's targets as a folder: the images, and a manifest that an upload reads."""

import os.path
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import manifest
from .answer import TooLongError
from .errors import ClientError, NotFoundError
from .files import replacing
from .records import Target
from .targets import Targets, is_image_of

# Called after each target.
OnTarget = Callable[[Target], None]


class Export:
    """Targets on their way into a folder.

    Images that are there already, of the right checksum, are not fetched
    again: an export that was cut goes on. The manifest comes last, so a folder
    with a manifest is whole. No link in the folder is followed.
    """

    def __init__(
        self,
        targets: Targets,
        folder: Path,
        *,
        manifest_name: str = "manifest.json",
        parallel: int = 4,
        overwrite: bool = False,
        on_target: OnTarget | None = None,
    ) -> None:
        self.targets = targets
        self.folder = folder
        self.manifest = folder / manifest_name
        self.parallel = parallel
        self.overwrite = overwrite
        self.on_target = on_target

    def run(self, records: Iterable[Target]) -> list[Target]:
        """Write all; what was written. Raises ClientError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._refuse_manifests()
            with ThreadPoolExecutor(self.parallel) as pool:
                try:
                    written = [t for t in pool.map(self._save, records) if t is not None]
                except BaseException:
                    self.targets.transport.stopping.set()
                    pool.shutdown(cancel_futures=True)
                    raise
            manifest.write(self.manifest, [(name_of(target), target) for target in written])
        except OSError as failed:
            raise ClientError(
                f"{failed.filename or self.folder} cannot be written: {failed.strerror}"
            ) from None
        return written

    def _refuse_manifests(self) -> None:
        """A folder holds one export: a second manifest would make it ambiguous."""
        if self.overwrite:
            for name in manifest.NAMES:
                (self.folder / name).unlink(missing_ok=True)
        elif found := [name for name in manifest.NAMES if os.path.lexists(self.folder / name)]:
            raise ClientError(
                f"{self.folder / found[0]} is there already; "
                "name another folder, or add --overwrite"
            )

    def _save(self, listed: Target) -> Target | None:
        """Fetch a target's image; the target as it was then, None where it is gone meanwhile."""
        path = self.folder / name_of(listed)
        other = what_else_is_at(path, listed)
        if other is None:
            self._tell(listed)
            return listed
        if other and not self.overwrite:
            raise ClientError(
                f"{path} is there already, and {other}; name another folder, or add --overwrite"
            )
        try:
            target, image = self._fetch(listed)
        except NotFoundError:
            return None
        with replacing(path) as file:
            file.write(image)
        self._tell(target)
        return target

    def _fetch(self, listed: Target) -> tuple[Target, bytes]:
        """The image and the target that it belongs to, even if it is changed meanwhile.

        Raises ClientError where the server has no image that is the target's.
        """
        try:
            image = self.targets.image(listed.id, most=listed.size)
            if is_image_of(listed, image):
                return listed, image
        except TooLongError:
            pass
        # Changed since it was listed: this answer has both, and they are held against each other.
        current = self.targets.get(listed.id)
        return current, current.image or b""

    def _tell(self, target: Target) -> None:
        if self.on_target is not None:
            self.on_target(target)


def name_of(target: Target) -> str:
    """The file of a target's image."""
    return f"{target.id}.jpg"


def what_else_is_at(path: Path, target: Target) -> str | None:
    """What is in the place of a target's image, in words; "" for nothing, None for that image."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return ""
    if stat.S_ISLNK(found.st_mode):
        return "a link"
    if not stat.S_ISREG(found.st_mode):
        return "no file"
    if found.st_size == target.size and is_image_of(target, path.read_bytes()):
        return None
    return "another picture"
