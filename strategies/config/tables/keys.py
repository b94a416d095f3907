"""The keys of every section: type, default, range; one table per kind of section."""

from __future__ import annotations

from fechner.strategies.config.tables.key import Key, number, one_of, whole

SEED = Key("seed", inherited=False)  # [common]'s seed ranks below the setup message's, so it isn't inherited
_IGNORED = Key("ignored")
_MANY = 1_000_000

COMMON_KEYS: dict[str, Key] = {
    "parnames": Key("texts", required=True),
    "outcome_types": Key("texts", required=True),
    "outcome_names": Key("texts"),
    "strategy_names": Key("texts", required=True),
    "stimuli_per_trial": whole(1, low=1, high=2),
    "lb": Key("texts"),
    "ub": Key("texts"),
    "target": number(),
    "pregen_asks": _IGNORED,
    "extensions": Key("texts"),
    "seed": SEED,
    "outcome_type": Key("text"),
}

N_LEVELS = whole(5, low=2, high=100)

METADATA_KEYS = ("experiment_name", "experiment_description", "experiment_id", "participant_id")

PARAMETER_TYPES: dict[str, tuple[str, ...]] = {
    "continuous": ("lower_bound", "upper_bound", "log_scale", "normalize_scale", "scale", "step"),
    "integer": ("lower_bound", "upper_bound", "log_scale", "normalize_scale", "scale", "step"),
    "binary": (),
    "discrete": ("values",),
    "categorical": ("choices", "rank"),
    "fixed": ("value",),
}
PARAMETER_KEYS = (
    "par_type",
    "unit",
    *dict.fromkeys(k for keys in PARAMETER_TYPES.values() for k in keys),
)

STAGE_KEYS: dict[str, Key] = {
    "generator": Key("component", kind="generator"),
    "model": Key("component", kind="model"),
    "min_asks": whole(0, low=0, high=_MANY),
    "min_total_tells": whole(0, low=0, high=_MANY),
    "min_total_outcome_occurrences": whole(None, low=0, high=_MANY),
    "max_asks": whole(None, low=1, high=_MANY),
    "refit_every": whole(1, low=1, high=_MANY),
    "keep_most_recent": whole(None, low=1, high=_MANY),
    "min_post_range": number(None, low=0.0),
    "log_post_var": Key("truth", False),
    "run_indefinitely": Key("truth", False),
    "seed": SEED,
    "stimuli_per_trial": whole(1, low=1, high=2),
    "outcome_types": Key("texts"),
    "outcome_type": Key("text"),
    "n_trials": whole(None, low=0, high=_MANY),
    "acqf": Key("component", kind="acquisition"),
    "seed_data_conditions": Key("section", inherited=False),
    "speculate": Key("truth", True),
    "deadline_ms": number(None, above=0.0),
    "stop": Key("text", supported=False),
}

# Constructor arguments of the format's classes that follow from the rest of the configuration are ignored.
_DERIVED: dict[str, Key] = dict.fromkeys(("class", "lb", "ub", "dim", "stimuli_per_trial"), _IGNORED)

GENERATOR_KEYS: dict[str, Key] = {**_DERIVED, "seed": SEED}

MODEL_KEYS: dict[str, Key] = {
    **_DERIVED,
    "inducing_size": whole(100, low=1, high=_MANY),
    "inducing_point_method": Key("component", kind="allocator"),
    "mean_covar_factory": Key("component", kind="factory"),
    "mean_module": Key("component", kind="mean"),
    "covar_module": Key("component", kind="kernel"),
    "likelihood": Key("component", kind="likelihood"),
    "max_fit_time": number(None, above=0.0),
    "use_gpu": Key("truth", False),
    "maxcor": whole(None, low=1, high=1000),
    "ftol": number(None, low=0.0),
    "gtol": number(None, low=0.0),
    "maxfun": whole(None, low=1, high=_MANY),
    "maxiter": whole(None, low=1, high=_MANY),
    "maxls": whole(None, low=1, high=1000),
}

LIKELIHOOD_KEYS: dict[str, Key] = {
    "floor": number(0.0, low=0.0, below=1.0),
    "lapse": Key("number", 0.0, low=0.0, below=1.0, choices=("estimate",)),
}

SEMI_PARAMETRIC_KEYS: dict[str, Key] = {
    **MODEL_KEYS,
    "mean_covar_factory": Key("text", supported=False, inherited=False),
    "floor": LIKELIHOOD_KEYS["floor"],
    "lapse": number(0.0, low=0.0, below=1.0),
    "stim_dim": Key("coordinates"),
    "slope_mean": number(2.0, above=0.0),
}

CONSTRAINT_KEYS: dict[str, Key] = {
    "constraint_locations": Key("constraint points"),
    "constraint_values": Key("constraint part"),
    "constraint_strengths": Key("constraint part"),
    "constraint_factory": Key("constraint section"),
}

CONSTRAINT_FACTORY_KEYS: dict[str, Key] = {
    "constraint_lower": Key("constraint part"),
    "constraint_upper": Key("constraint part"),
    "constraint_values": Key("constraint part"),
    "constraint_strengths": Key("constraint part"),
    "points_per_dim": Key("whole", 10, low=2, high=100, inherited=False),
}

ACQUISITION_KEYS: dict[str, Key] = dict.fromkeys(("class", "lb", "ub", "dim"), _IGNORED)

FACTORY_KEYS: dict[str, Key] = {
    **dict.fromkeys(("class", "lb", "ub", "dim"), _IGNORED),
    "zero_mean": Key("truth", False),
    "target": Key("number", inherited=False),
    "cov_kernel": Key("component", kind="kernel"),
    "active_dims": Key("coordinates"),
    "lengthscale_prior": one_of("lognormal", ("lognormal", "gamma", "invgamma")),
    "ls_loc": number(),
    "ls_scale": number(None, above=0.0),
    "fixed_kernel_amplitude": Key("truth", True),
    "outputscale_prior": one_of("box", ("box", "gamma")),
}
