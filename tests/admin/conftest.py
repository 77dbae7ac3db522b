"""The panel on the shared application, for nobody and for an administrator."""

import pytest

from ..actors import User
from ..client import Client
from ..panel import Panel


@pytest.fixture
def visitor(app: Client) -> Panel:
    """Nobody."""
    return Panel(app.app)


@pytest.fixture
def panel(visitor: Panel, administrator: User) -> Panel:
    """``ada``, logged in."""
    visitor.log_in()
    return visitor
