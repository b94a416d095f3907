"""Whether `use_gpu` has an effect in a stage, and whether this machine can have what it asks for."""

from __future__ import annotations

from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.errors import Problem
from fechner.strategies.numerics import device
from fechner.strategies.specification import Component, Specification, Stage

MOST_INPUTS = 1000  # of a posterior (models/inference/inducing.py)
CODE = "no_gpu"


def without_effect(stage: Stage, stimuli: int) -> str | None:
    """Why `use_gpu` has no effect in a stage, whatever the machine; None if it may have one."""
    acqf = stage.generator.keys.get("acqf")
    if not isinstance(acqf, Component):
        return "has no effect: only scans of an acquisition function's candidates run on a GPU"
    entry = CLASSES.get(acqf.name, Entry("acquisition"))
    model = None if stage.model is None else CLASSES.get(stage.model.name)
    scanned = "on_device" in entry.functions and (
        entry.of_latent or model is None or model.outcome != "ordinal"
    )
    if stimuli != 1 or not scanned:
        return f"has no effect: {acqf.name} is computed on the processor"
    if stage.model is not None and model is not None and model.on_the_processor:
        return f"has no effect: {stage.model.name} is computed on the processor"
    keys = {} if stage.model is None else stage.model.keys
    if keys.get("constraint_locations") or keys.get("lapse") == "estimate":
        return "has no effect with constraint points or an unknown lapse rate: the processor computes these"
    factory = keys.get("mean_covar_factory")
    named = [
        keys.get("covar_module"),
        *(factory.keys.get(key) for key in ("cov_kernel", "active_dims") if factory),
    ]
    if any(one is not None and getattr(one, "name", "") != "RBFKernel" for one in named):
        return "has no effect with this kernel: the processor computes it"
    if keys.get("categories"):
        return "has no effect with categorical parameters: the processor computes these"
    if acqf.keys.get("lookahead_type") == "posterior":
        return "has no effect: look-ahead at outcomes is computed on the processor"
    candidates = int(stage.generator.keys.get("samps") or 1024)
    reference = int(acqf.keys.get("query_set_size") or 256) if "query_set_size" in entry.keys else 0
    if device.pays(candidates, reference, MOST_INPUTS):
        return None
    over = f" and query_set_size = {reference}" if reference else ""
    return f"has no effect: a scan with samps = {candidates}{over} is too small to gain by a GPU"


def doubts(specification: Specification) -> tuple[Problem, ...]:
    """A warning where a stage would use a GPU and this machine can't have one."""
    stimuli = specification.stimuli_per_trial
    models = [stage.model for stage in specification.stages if not without_effect(stage, stimuli)]
    wanting = [model.name for model in models if model is not None and model.keys.get("use_gpu")]
    reason = device.lacking() if wanting else None
    if reason is None:
        return ()
    detail = f"no GPU here ({reason}); computed on the processor"
    return (Problem(wanting[0], "use_gpu", "True", detail, code=CODE),)
