"""What a strategy found, for people: predictions along one or two parameters, and figures of them.

Figures are made by matplotlib without a screen; it is imported when a figure is drawn.
"""

from fechner.strategies.analysis.slices import Slice, slice_of

__all__ = ["Slice", "slice_of"]
