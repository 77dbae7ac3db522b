"""``[server:main] use = egg:ar_targets#development``: waitress, once its port is free."""

from collections.abc import Mapping
from typing import Any

import waitress

from ..address import addresses, require_free


def serve(app: Any, global_conf: Mapping[str, str], **options: str) -> None:
    """A PasteDeploy server runner, with waitress's own options.

    Raises SettingsError where a port is taken: waitress itself ends with a traceback.
    """
    for address in addresses(options):
        require_free(address)
    waitress.serve(app, **options)
