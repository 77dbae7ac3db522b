"""Prints as JSON what Sentry's integration would send: ``python -m tests.addons.sentry URL``."""

import json
import sys

import sentry_sdk
from sentry_sdk.integrations.pyramid import PyramidIntegration
from sentry_sdk.transport import Transport

from .calls import call

sent = []


class Kept(Transport):
    """In place of the way to Sentry's server."""

    def capture_envelope(self, envelope):
        sent.extend(item.payload.json for item in envelope.items if item.payload.json)


def includeme(config):
    """As docs/monitoring has it, but for the transport."""
    sentry_sdk.init(
        dsn="http://key@127.0.0.1/1",
        transport=Kept,
        integrations=[PyramidIntegration()],
        traces_sample_rate=1.0,
    )


if __name__ == "__main__":
    call(sys.argv[1], "tests.addons.sentry")
    sentry_sdk.flush()
    # This file is there twice: as the program, and as the module that was included.
    json.dump(sys.modules["tests.addons.sentry"].sent, sys.stdout, default=str)
