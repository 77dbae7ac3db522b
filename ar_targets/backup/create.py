"""Make a backup: the dump, compressed as it comes; with the keys if asked; the manifest last."""

import gzip
import re
import subprocess
from collections.abc import Iterator
from typing import IO

from sqlalchemy import Engine

from .. import clock
from ..settings import Settings
from ..version import VERSION
from . import vendor
from .directory import KEYS, BackupDirectory
from .manifest import DUMP, SUFFIX, BackupError, Manifest, checksum

CHUNK = 2**20
# Of ten levels, since JPEGs in hexadecimal shrink to their half by the first, and not much
# further.
COMPRESSION = 1
CREATE_TABLE = re.compile(rb"CREATE TABLE `([^`]+)`")
INSERT = re.compile(rb"INSERT INTO `([^`]+)` ")
REVISION = re.compile(rb"INSERT INTO `alembic_version` VALUES \('([^']+)'\)")
POSITION = re.compile(rb"-- CHANGE MASTER TO MASTER_LOG_FILE='([^']+)', MASTER_LOG_POS=(\d+);")


class DumpContents:
    """What a dump holds, told from its lines, so that it is of the same snapshot.

    The dump tool escapes line breaks inside of values: each line begins a statement, or goes on
    with the definition of a table.
    """

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.revision: str | None = None
        self.binlog: tuple[str, int] | None = None
        self.longest = 0

    def passing(self, stream: IO[bytes]) -> Iterator[bytes]:
        """The stream in pieces of limited size."""
        length = 0
        while piece := stream.readline(CHUNK):
            if length == 0:
                self._begin(piece)
            length += len(piece)
            self.longest = max(self.longest, length)
            if piece.endswith(b"\n"):
                length = 0
            yield piece

    def _begin(self, line: bytes) -> None:
        if found := INSERT.match(line):
            self.rows[found[1].decode()] += 1
        elif found := CREATE_TABLE.match(line):
            self.rows[found[1].decode()] = 0
        if found := REVISION.match(line):
            self.revision = found[1].decode()
        elif found := POSITION.match(line):
            self.binlog = found[1].decode(), int(found[2])


def create(
    engine: Engine, settings: Settings, directory: BackupDirectory, *, keys: bool
) -> Manifest:
    """Make a backup while servers work; its manifest. Raises BackupError or OSError."""
    begun = clock.now()
    name = directory.name(begun)
    if (directory.path / (name + DUMP)).exists():
        raise BackupError(f"{directory.path / (name + DUMP)} exists")
    contents, server = DumpContents(), vendor.vendor_of(engine)
    options = (*vendor.DUMP_OPTIONS, *vendor.options_of(engine, server))
    with (
        directory.new_file(name + DUMP) as file,
        gzip.GzipFile("", "wb", COMPRESSION, file) as archive,
        vendor.running(
            vendor.DUMPERS, server, settings.database_url, *options, stdout=subprocess.PIPE
        ) as process,
    ):
        for piece in contents.passing(process.stdout or file):
            archive.write(piece)
    if keys:
        with directory.new_file(name + KEYS) as file:
            file.write("".join(f"{key}\n" for key in settings.jwt_keys).encode())
    if contents.revision is None:
        raise BackupError("the database has no schema of ar_targets; run ar_targets_initdb")
    dump = directory.path / (name + DUMP)
    binlog_file, binlog_position = contents.binlog or (None, None)
    made = Manifest(
        file=dump.name,
        created_at=clock.rfc3339(begun),
        version=VERSION,
        vendor=server,
        schema_revision=contents.revision,
        rows=contents.rows,
        longest_statement=contents.longest,
        binlog_file=binlog_file,
        binlog_position=binlog_position,
        size=dump.stat().st_size,
        sha256=checksum(dump),
    )
    with directory.new_file(name + SUFFIX) as file:
        file.write(made.encoded())
    return made
