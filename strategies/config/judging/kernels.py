"""What kernels and means go with: models, parameters, and each other."""

from __future__ import annotations

from collections.abc import Sequence

from fechner.strategies.config.reading.report import Report
from fechner.strategies.config.tables.kernels import JOINED, SCALE
from fechner.strategies.specification import Component, Parameter

#: Models that take other kernels and means than their own.
MODELS = ("GPClassificationModel", "GPRegressionModel", "OrdinalGPModel")
ONE_DIMENSION = "CosineKernel"
CATEGORICAL = "CategoricalKernel"


def check_modules(report: Report, model: Component, parameters: tuple[Parameter, ...]) -> None:
    """Note kernels and means that don't go with the model or its parameters."""
    factory = model.keys.get("mean_covar_factory")
    covar, mean = model.keys.get("covar_module"), model.keys.get("mean_module")
    named = factory.keys.get("cov_kernel") if factory is not None else None
    active = factory.keys.get("active_dims") if factory is not None else None
    if covar is not None and factory is not None:
        detail = f"stands beside mean_covar_factory = {factory.name}, which names one too"
        report.problem(model.name, "covar_module", covar.name, detail, "one of them")
        return
    free = sum(parameter.type != "fixed" for parameter in parameters)
    kernel = named or covar
    parts = leaves(kernel, free, active) if kernel is not None else []
    own = all(part.name == "RBFKernel" for part, _ in parts) and all(count == free for _, count in parts)
    plain = (kernel is None or (own and kernel.name == "RBFKernel")) and not active
    if mean is None and covar is None and plain:
        return
    reason = unfit(model)
    levels = ", ".join(one.name for one in parameters if one.type == "categorical")
    if not reason and not plain and levels:
        detail = f"sees the choices of {levels} as levels in the order given"
        what = kernel.name if kernel is not None else "active_dims"
        report.warn(model.name, "covar_module", what, detail, "leave it out, and they have none", "doubtful")
    if not reason:
        for part, count in parts:
            _check_part(report, part, count)
        return
    section, key, what = model.name, "covar_module", kernel.name if kernel is not None else "active_dims"
    if covar is None and mean is not None:
        key, what = "mean_module", mean.name
    elif covar is None and factory is not None:
        section, key = factory.name, "cov_kernel" if named is not None else "active_dims"
    report.problem(section, key, what, f"is not for {reason}", "leave it out", "does_not_fit")


def leaves(component: Component, d: int, active: Sequence[int] | None = None) -> list[tuple[Component, int]]:
    """The kernels that a named one is made of, each with the number of parameters that it sees."""
    dims = tuple(component.keys.get("active_dims") or active or range(d))
    if component.name == SCALE:
        inner = component.keys.get("base_kernel")
        return leaves(inner, d, dims) if inner is not None else []
    if component.name in JOINED:
        parts = component.keys.get("kernels") or ()
        return [leaf for part in parts for leaf in leaves(part, d, dims)]
    return [(component, len(dims))]


def unfit(model: Component) -> str:
    """Why a model has its own kernel and mean only; empty if it takes others."""
    if model.name not in MODELS:
        return f"{model.name}, which has its own"
    if model.keys.get("lapse") == "estimate":
        return "a model that estimates the lapse rate"
    if model.keys.get("constraint_locations"):
        return "a model with constraint points"
    factory = model.keys.get("mean_covar_factory")
    if factory is not None and factory.name != "DefaultMeanCovarFactory":
        return f"{factory.name}, which has its own"
    return ""


def _check_part(report: Report, part: Component, count: int) -> None:
    """Note a kernel's own keys that can't be."""
    if part.name == CATEGORICAL:
        detail, hint = "is for categorical parameters, which have it anyway", "leave it out"
        report.problem(part.name, "", "", detail, hint, "does_not_fit")
    nu = part.keys.get("nu")
    if nu is not None and nu not in (0.5, 1.5, 2.5):
        report.problem(part.name, "nu", f"{nu:g}", "has no simple form", "0.5, 1.5 or 2.5")
    if part.name == ONE_DIMENSION and count > 1:
        detail = f"is a covariance of one parameter only; here it sees {count}"
        hint = "active_dims = [one parameter], and a ProductKernel or AdditiveKernel of several of them"
        report.problem(part.name, "active_dims", "", detail, hint, "does_not_fit")
