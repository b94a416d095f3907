"""Configurations of small experiments."""

from __future__ import annotations

SPACE_FILLING = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [init]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
max_asks = 4
"""

#: One Sobol point, then asks that a computation answers.
WITH_MODEL = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [init, opt]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
max_asks = 1
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
max_asks = 1000
[OptimizeAcqfGenerator]
acqf = MCLevelSetEstimation
"""
