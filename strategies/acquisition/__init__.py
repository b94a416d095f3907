"""Acquisition functions: how much a trial at a point would teach.

`build` gives a function of points from a component and a posterior; `optimise` finds its maximum in the box.
"""

from __future__ import annotations

from fechner.strategies.acquisition.acquisition import Acquisition, build, of_moments
from fechner.strategies.acquisition.optimise import maximise

__all__ = ["Acquisition", "build", "maximise", "of_moments"]
