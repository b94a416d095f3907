"""Which folders extensions may be run from: the name under which notebooks know `plugins.extensions`."""

from fechner.strategies.plugins.extensions import allow, forbid

__all__ = ["allow", "forbid"]
