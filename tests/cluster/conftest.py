"""As the other experiments."""

from ..soak.conftest import seed

__all__ = ["seed"]
