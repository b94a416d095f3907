"""What all stages of an experiment share, and the classes that are taken where none is named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from fechner.strategies.config.judging import several
from fechner.strategies.specification import Outcome, Parameter

DEFAULT_MODELS = {
    "binary": "GPClassificationModel",
    "continuous": "GPRegressionModel",
    "ordinal": "OrdinalGPModel",
}
DEFAULT_ACQUISITION = {
    "binary": "EAVC",
    "continuous": "qLogNoisyExpectedImprovement",
    "ordinal": "MCPosteriorVariance",
}
PAIRWISE_MODELS = {"binary": "PairwiseProbitModel"}
PAIRWISE_ACQUISITION = {"binary": "AnalyticExpectedUtilityOfBestOption"}


@dataclass(frozen=True)
class Experiment:
    """What all stages share; `taken` are the names of sections with a role of their own."""

    parameters: Sequence[Parameter]
    outcomes: Sequence[Outcome]
    stimuli: int
    target: float | None
    no_end: Literal["error", "warning"]
    taken: Collection[str] = ()

    @property
    def outcome(self) -> str:
        """The type of the only outcome; empty if there are several or none."""
        return self.outcomes[0].type if len(self.outcomes) == 1 else ""

    @property
    def default_model(self) -> str | None:
        """The model for these outcomes and stimuli, if there is one."""
        if len(self.outcomes) > 1:
            return several.MODEL if self.stimuli == 1 else None
        return (DEFAULT_MODELS if self.stimuli == 1 else PAIRWISE_MODELS).get(self.outcome)

    @property
    def default_acquisition(self) -> str | None:
        """The acquisition function for these outcomes and stimuli, if there is one."""
        return (DEFAULT_ACQUISITION if self.stimuli == 1 else PAIRWISE_ACQUISITION).get(self.outcome)

    @property
    def can_model(self) -> bool:
        """Whether a model is supported for these parameters, outcomes and stimuli."""
        return self.default_model is not None and any(one.type != "fixed" for one in self.parameters)
