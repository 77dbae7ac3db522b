"""Upload the JPEGs of a folder, then list the project's targets and check their images.

AR_TARGETS_TOKEN=eyJ… python with_client.py SERVER PROJECT_ID FOLDER

The token is one that may write: keep it to yourself, and ship a read-only one in an app.
"""

import hashlib
import os
import sys
from pathlib import Path

from ar_targets_client import Client
from ar_targets_client.journal import Journal
from ar_targets_client.sources import journal_of, rows_of
from ar_targets_client.upload import Outcome, Upload


def main(server: str, project_id: str, folder: str) -> int:
    """The exit code: 1 where a picture was refused."""
    source = Path(folder)
    with Client(server, os.environ["AR_TARGETS_TOKEN"]) as client:
        targets = client.targets(int(project_id))

        # The journal makes a second run do only what the first left undone.
        with Journal(journal_of([source])) as journal:
            rows = list(rows_of(source, on_skip=print))
            results = Upload(targets, journal).run(rows)
        for result in results:
            print(result.row.name, result.outcome, result.target_id or result.reason)

        for target in targets.list():
            image = targets.image(target.id)
            whole = hashlib.sha256(image).hexdigest() == target.sha256
            size = f"{target.width}×{target.height}"
            print(target.id, target.name, size, "whole" if whole else "damaged")
    return int(any(result.outcome is Outcome.FAILED for result in results))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
