"""Export of a project's targets to a folder: images, and a manifest that an upload can read."""

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
    """Writes targets to a folder.

    Images that exist already with the right checksum are not fetched again, so an
    interrupted export can be resumed. The manifest is written last: a folder with a
    manifest is complete. Symbolic links in the folder are not followed.
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
        """Write all images and the manifest; the targets written. Raises ClientError.

        ``records``: as ``targets.list(metadata=True)`` gives them, or the manifest has no metadata.
        """
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
        """Raise ClientError if there is a manifest, or remove it with ``overwrite``.

        A second manifest would make the folder ambiguous.
        """
        if self.overwrite:
            for name in manifest.NAMES:
                (self.folder / name).unlink(missing_ok=True)
        elif found := [name for name in manifest.NAMES if os.path.lexists(self.folder / name)]:
            raise ClientError(
                f"{self.folder / found[0]} is there already; "
                "name another folder, or add --overwrite"
            )

    def _save(self, listed: Target) -> Target | None:
        """Fetch a target's image; the target as of that moment, None if it was deleted."""
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
        """The image and its target, which may have changed since it was listed.

        Raises ClientError if the image does not match the target.
        """
        try:
            image = self.targets.image(listed.id, most=listed.size)
            if is_image_of(listed, image):
                return listed, image
        except TooLongError:
            pass
        # Changed since it was listed: this response has both, and `get` compares them.
        current = self.targets.get(listed.id)
        return current, current.image or b""

    def _tell(self, target: Target) -> None:
        if self.on_target is not None:
            self.on_target(target)


def name_of(target: Target) -> str:
    """The file name of a target's image."""
    return f"{target.id}.jpg"


def what_else_is_at(path: Path, target: Target) -> str | None:
    """What else is at the path of a target's image: "" for nothing, None for that image."""
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
