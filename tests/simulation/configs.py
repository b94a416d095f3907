"""The configurations that simulated clients set up."""

from __future__ import annotations

PARAMETER = """
[{name}]
par_type = continuous
lower_bound = 0
upper_bound = {upper}
"""

P = PARAMETER.format(name="p", upper=1)
Q = PARAMETER.format(name="q", upper=100)

SPACE_FILLING = f"""
[common]
parnames = [p, q]
outcome_types = [binary]
strategy_names = [first, second]
{P}{Q}
[first]
generator = SobolGenerator
max_asks = 3
[second]
generator = RandomGenerator
max_asks = 1000
"""

WITH_MODEL = f"""
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [init, opt]
{P}
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

#: Every ask has a deadline: tiers, alarms and what falls back on them.
IN_TIME = WITH_MODEL.replace("max_asks = 1000", "max_asks = 1000\ndeadline_ms = 500")

TWO_PARAMETERS = f"""
[common]
parnames = [p, q]
outcome_types = [binary]
strategy_names = [opt]
{P}{Q}
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 4
max_asks = 20
[OptimizeAcqfGenerator]
acqf = MCLevelSetEstimation
"""

CONFIGS = (SPACE_FILLING, WITH_MODEL, WITH_MODEL, WITH_MODEL, IN_TIME, TWO_PARAMETERS)

NAMES = {SPACE_FILLING: ("p", "q"), WITH_MODEL: ("p",), IN_TIME: ("p",), TWO_PARAMETERS: ("p", "q")}
