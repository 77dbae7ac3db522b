"""The API decodes no picture with OpenCV: no process of it even loads what could."""

import json
import subprocess
import sys
from pathlib import Path

from ..conftest import KEY

HEAVY = {"cv2", "faiss", "numpy"}
START = """
import json, sys
from ar_targets.application import main
from ar_targets import vision_client
from ar_targets.vision import assessment, version
settings = {"database_url": sys.argv[1], "jwt_keys": sys.argv[2]}
main({}, **{f"ar_targets.{name}": text for name, text in settings.items()})
vision_client.VisionClient("http://127.0.0.1:1", "key", 1)
print(json.dumps(sorted(name.partition(".")[0] for name in sys.modules)))
"""


def test_the_api_loads_nothing_that_decodes_pictures(database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START, database_url, KEY],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"ar_targets", "pyramid", "urllib3"} <= loaded
    assert not HEAVY & loaded
