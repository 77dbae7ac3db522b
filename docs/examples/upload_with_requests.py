"""Upload photographs, each once, whatever becomes of the connection.

AR_TARGETS_TOKEN=eyJ… python upload_with_requests.py SERVER PROJECT_ID PHOTO...

The token is one that may write: keep it to yourself, and ship a read-only one in an app.
"""

import os
import sys
import uuid
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

# A POST that is sent again could make a second target: with a key, the server knows that it is
# the same one, and gives the first answer again.
RETRY = Retry(
    total=5,
    backoff_factor=0.5,
    allowed_methods={"POST"},
    status_forcelist={502, 503, 504},
    raise_on_status=False,
)


def main(server: str, project_id: str, *photos: str) -> None:
    """Upload each under the name of its file."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['AR_TARGETS_TOKEN']}"
        session.mount(server, HTTPAdapter(max_retries=RETRY))
        for photo in map(Path, photos):
            answer = session.post(
                f"{server}/api/project/{project_id}/imagetarget",
                params={"name": photo.stem},
                data=photo.read_bytes(),
                # A new key for each photograph; what is sent again has the same one.
                headers={"Content-Type": "image/jpeg", "Idempotency-Key": uuid.uuid4().hex},
                timeout=60,
            )
            if not answer.ok:
                for error in answer.json()["errors"]:
                    print(error["location"], error["name"], error["description"], file=sys.stderr)
                sys.exit(f"{answer.status_code}, request {answer.headers['X-Request-ID']}")
            print(photo.name, answer.json()["id"])


if __name__ == "__main__":
    main(*sys.argv[1:])
