"""Acquisition functions of several outcomes at once, by BoTorch; torch is imported when one is built.

ExpectedHypervolumeImprovement: K. Yang, M. Emmerich, A. Deutz & T. Baeck (2019), Efficient computation of
expected hypervolume improvement using box decomposition algorithms, J. Global Optimization 75:3-34;
qExpected- and qNoisyExpectedHypervolumeImprovement: S. Daulton, M. Balandat & E. Bakshy (2020), NeurIPS, and
(2021), NeurIPS; their logarithms: S. Ament et al. (2023), NeurIPS. ConstrainedExpectedImprovement: J. Gardner
et al. (2014), Bayesian optimization with inequality constraints, ICML.

Values and slopes come from torch in float64; what is drawn comes from samplers with keyed seeds, and what
BoTorch draws by itself when it is set up from a generator that is put back afterwards. Pending points reduce
the outcomes' variances, as everywhere; those that consider noise take them into their baseline.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fechner.strategies.acquisition.acquisition import BY_TORCH, Acquisition, made
from fechner.strategies.acquisition.slopes import Gradients, Values
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.posteriors.weighted import WeightedPosterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.threads import hold_torch
from fechner.strategies.specification import Component

if TYPE_CHECKING:
    import torch

EXPECTED = "ExpectedHypervolumeImprovement"  # the one in closed form
NOISY = ("qNoisyExpectedHypervolumeImprovement", "qLogNoisyExpectedHypervolumeImprovement")
PASSED_ON = ("prune_baseline", "alpha", "tau_relu", "tau_max")

#: The outcomes' posteriors, keys, seed and pending points to a botorch function.
Made = Callable[[Component, Sequence[Posterior], int, Array], Any]


def build_front(
    component: Component, posterior: WeightedPosterior, *, seed: int, pending: Array, around: object
) -> Acquisition:
    """The hypervolume improvements; the posterior's parts are those of the outcomes."""
    return made(_functions(component, posterior, seed, pending, _front), BY_TORCH)


def build_constrained(
    component: Component, posterior: WeightedPosterior, *, seed: int, pending: Array, around: object
) -> Acquisition:
    """ConstrainedExpectedImprovement."""
    return made(_functions(component, posterior, seed, pending, _constrained), BY_TORCH)


def _functions(
    component: Component, posterior: WeightedPosterior, seed: int, pending: Array, make: Made
) -> tuple[Values, Gradients]:
    """Values of (m, d) points, and values with gradients, of what `make` makes in torch."""
    import torch

    hold_torch()
    parts: Sequence[Posterior] = posterior.parts
    if component.name not in NOISY and len(pending):
        parts = [part.expecting(pending) for part in parts]
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():  # what BoTorch draws by itself
        warnings.simplefilter("ignore")  # which of its functions to take instead
        torch.manual_seed(key(seed, "torch"))
        function = make(component, parts, seed, pending)

    def tensor(x: Array) -> torch.Tensor:
        return torch.tensor(np.ascontiguousarray(x), dtype=torch.float64).unsqueeze(-2)

    def values(x: Array) -> Array:
        with torch.no_grad():
            out: Array = function(tensor(x)).numpy()
        return out

    def gradients(x: Array) -> tuple[Array, Array]:
        places = tensor(x).requires_grad_(True)
        found = function(places)
        (slopes,) = torch.autograd.grad(found.sum(), places)
        return found.detach().numpy(), slopes.squeeze(-2).numpy()

    return values, gradients


def model_of(parts: Sequence[Posterior]) -> Any:
    """The outcomes' posteriors as one botorch model."""
    from botorch.models import ModelList

    from fechner.strategies.models.torch.botorch_model import GaussianModel

    return ModelList(*(GaussianModel(part, np.zeros(len(part.x))) for part in parts))


def _means(parts: Sequence[Posterior]) -> Array:
    """The outcomes' means (n, m) at the trials' places."""
    return np.column_stack([part.latent(_places(parts))[0] for part in parts])


def _constrained(component: Component, parts: Sequence[Posterior], seed: int, pending: Array) -> Any:
    """BoTorch's improvement of one outcome where others are in bounds."""
    from botorch.acquisition import analytic

    keys = component.keys
    place = int(keys.get("objective_index") or 0)
    bounds = {index: (low, high) for index, low, high in keys.get("constraints") or ()}
    best = keys.get("best_f")
    best = _best_allowed(_means(parts), place, bounds) if best is None else float(best)
    return analytic.ConstrainedExpectedImprovement(
        model_of(parts), best, place, bounds, maximize=keys.get("maximize") is not False
    )


def _front(component: Component, parts: Sequence[Posterior], seed: int, pending: Array) -> Any:
    """BoTorch's hypervolume improvement of the component's name."""
    import torch
    from botorch.acquisition import multi_objective
    from botorch.acquisition.multi_objective import logei
    from botorch.sampling.list_sampler import ListSampler
    from botorch.sampling.normal import SobolQMCNormalSampler
    from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning

    # BoTorch would compile a kernel of its own here, with other last digits, for seconds, where it can
    logei._load_attempted = True
    name, keys = component.name, component.keys
    model, means = model_of(parts), _means(parts)
    point = [float(number) for number in keys["ref_point"]]
    objective = keys.get("objective")
    weights = torch.ones(len(parts), dtype=torch.float64)
    if objective is not None and objective.keys.get("weights"):
        weights = torch.tensor([float(w) for w in objective.keys["weights"]], dtype=torch.float64)
    class_ = getattr(multi_objective, name)
    samples = torch.Size([int(keys.get("mc_samples") or 64)])
    given: dict[str, Any] = {"model": model, "ref_point": point}
    if name != EXPECTED:
        given["sampler"] = ListSampler(
            *(SobolQMCNormalSampler(samples, seed=key(seed, "outcome", i) % 2**31) for i in range(len(parts)))
        )
        given["objective"] = multi_objective.objective.WeightedMCMultiOutputObjective(weights)
        given |= {one: keys[one] for one in PASSED_ON if keys.get(one) is not None}
    if name in NOISY:
        baseline = np.vstack([_places(parts), pending])
        return class_(**given, X_baseline=torch.tensor(baseline, dtype=torch.float64), cache_root=False)
    given.pop("prune_baseline", None)
    given.pop("alpha", None)
    seen = torch.tensor(means, dtype=torch.float64) * weights
    reference = torch.tensor(point, dtype=torch.float64)
    if name == EXPECTED and not bool((seen > reference).all(dim=1).any()):
        seen = seen[:0]  # BoTorch takes no front all of which is below the reference point
    return class_(**given, partitioning=FastNondominatedPartitioning(reference, Y=seen))


def _places(parts: Sequence[Posterior]) -> Array:
    """The trials' places (n, d): those of the outcome with the most, where some are seen through fewer."""
    return np.unique(max((part.places for part in parts), key=len), axis=0)


def _best_allowed(means: Array, place: int, bounds: Mapping[int, tuple[float | None, float | None]]) -> float:
    """The highest mean of the outcome at `place` at a trial whose other means are within their bounds."""
    inside = np.ones(len(means), dtype=bool)
    for index, (low, high) in bounds.items():
        inside &= (means[:, index] >= (-np.inf if low is None else low)) & (
            means[:, index] <= (np.inf if high is None else high)
        )
    return float(means[inside, place].max() if inside.any() else means[:, place].min())
