"""The normal distribution: the name under which plug-ins know `numerics.normal`."""

from fechner.strategies.numerics.normal import density, log_ndtr, ndtr, ndtri

__all__ = ["density", "log_ndtr", "ndtr", "ndtri"]
