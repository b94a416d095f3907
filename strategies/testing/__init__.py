"""Conformance tests for authors of plug-ins: what every model, generator and acquisition function must do.

`check_model`, `check_generator` and `check_acquisition` take a `Plugin` or a component and raise
`NonconformingError`, an `AssertionError` that says what is wrong; run them in a test of your own. Fechner's
own classes pass the same ones.
"""

from __future__ import annotations

from fechner.strategies.testing._acquisition import check_acquisition
from fechner.strategies.testing._common import NonconformingError
from fechner.strategies.testing._generators import check_generator
from fechner.strategies.testing._models import check_model

__all__ = ["NonconformingError", "check_acquisition", "check_generator", "check_model"]
