"""How much an ask computes, in fixed amounts of work, so that an ask with a deadline can be replayed.

A deadline is the one place where a clock decides (how far the computation came); what each tier computes is
a pure function of the state, and the tier that answered is on record.

- ``space_filling``: the next Sobol point of the stage; no model.
- ``previous_fit``: the data conditioned on with the last fit's hyperparameters (before the first one, with
  the priors' own), and the best of at most `QUICK_SCAN` scanned points.
- ``scan``: the same with a new fit where one is due.
- ``model``: the whole scan, and its best points refined; what an ask without a deadline computes.

``generator`` is the tier of asks that no model has a part in.
"""

from __future__ import annotations

SPACE_FILLING_TIER = "space_filling"
PREVIOUS_FIT = "previous_fit"
SCAN = "scan"
MODEL = "model"

#: Those that a deadline may leave it at, from the least to the most.
CUT_SHORT = (SPACE_FILLING_TIER, PREVIOUS_FIT, SCAN)

QUICK_SCAN = 256


def rank(tier: str) -> int:
    """Where a tier that a deadline may leave stands among them; below all of them if it is none."""
    return CUT_SHORT.index(tier) if tier in CUT_SHORT else -1
