"""Two requests that an add-on should see: one that is answered, and one that fails."""

import webtest

from ar_targets.application import main

# No row has this id.
NOBODY = "/api/user/9223372036854775807"
KEY = "a-key-for-the-add-ons-which-is-long-enough"


def call(url: str, addon: str = "") -> webtest.TestApp:
    """Make them of an application on a database, which includes an add-on; its client."""
    settings = {
        "ar_targets.database_url": url,
        "ar_targets.jwt_keys": KEY,
        "pyramid.includes": f"{addon} tests.addons.broken",
    }
    client = webtest.TestApp(main({}, **settings), extra_environ={"REMOTE_ADDR": "127.0.0.1"})
    client.get(NOBODY, status=404)
    client.get("/broken/7", status=500)
    return client
