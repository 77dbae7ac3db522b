"""Keep a folder in step with a project: each target's image, fetched when it has changed.

AR_TARGETS_TOKEN=eyJ… python with_requests.py SERVER PROJECT_ID FOLDER
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests


def main(server: str, project_id: str, folder: str) -> None:
    """Fetch what is new or has changed, and remove what is gone."""
    directory = Path(folder)
    directory.mkdir(exist_ok=True)
    start = f"{server}/api/project/{project_id}/imagetarget"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['AR_TARGETS_TOKEN']}"
        wanted = set()
        for target in targets(session, start):
            # ":d" lets nothing but a number become a part of paths.
            number = f"{target['id']:d}"
            file = directory / f"{number}.jpg"
            wanted.add(file)
            print(file.name, fetch(session, f"{start}/{number}/image", file))
    for file in set(directory.glob("*.jpg")) - wanted:
        file.unlink()
        print(file.name, "removed")


def targets(session: requests.Session, start: str) -> Iterator[dict[str, Any]]:
    """All targets: each page names the next, the last one none."""
    url = start
    while True:
        page = checked(session.get(url, timeout=30)).json()
        yield from page["items"]
        if page["next"] is None:
            return
        # The token goes to the server that was named, whatever host the answer names.
        url = f"{start}?{urlsplit(page['next']).query}"


def fetch(session: requests.Session, url: str, file: Path) -> str:
    """Fetch an image, unless the file has it already: an image's ETag is its SHA-256."""
    headers = {}
    if file.exists():
        headers["If-None-Match"] = f'"{hashlib.sha256(file.read_bytes()).hexdigest()}"'
    answer = checked(session.get(url, headers=headers, timeout=30))
    if answer.status_code == 304:
        return "unchanged"
    file.write_bytes(answer.content)
    return "fetched"


def checked(answer: requests.Response) -> requests.Response:
    """The answer, or the end with all that the server says is wrong."""
    if not answer.ok:
        for error in answer.json()["errors"]:
            print(error["location"], error["name"], error["description"], file=sys.stderr)
        sys.exit(f"{answer.status_code}, request {answer.headers['X-Request-ID']}")
    return answer


if __name__ == "__main__":
    main(*sys.argv[1:])
