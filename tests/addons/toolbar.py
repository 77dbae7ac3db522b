"""Prints as JSON what the debug toolbar shows: ``python -m tests.addons.toolbar URL``."""

import json
import sys

from .calls import NOBODY, call

if __name__ == "__main__":
    client = call(sys.argv[1], "pyramid_debugtoolbar")
    # The page shows the last request.
    pages = {"broken": client.get("/_debug_toolbar/").text}
    client.get(NOBODY, status=404)
    pages["user"] = client.get("/_debug_toolbar/").text
    json.dump(pages, sys.stdout)
