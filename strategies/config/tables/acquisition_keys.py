"""The keys of acquisition functions, by what they have in common."""

from __future__ import annotations

from fechner.strategies.config.tables.key import Key, number, one_of, whole

LEVEL_SET = {
    "target": number(0.75),
    "beta": number(3.84, low=0.0),
    "objective": Key("component", kind="objective"),
}
LOOK_AHEAD = {
    "target": number(required=True),
    "query_set_size": whole(256, low=2, high=10_000),
    "lookahead_type": one_of("levelset", ("levelset", "posterior")),
}

OF_OBJECTIVE = {"objective": Key("component", kind="objective")}

LOOK_AT_OUTCOMES = {
    "query_set_size": LOOK_AHEAD["query_set_size"],
    "lookahead_type": one_of("posterior", ("levelset", "posterior")),
    "target": number(0.75),
}
MAXIMIZE = {"maximize": Key("truth", True)}
BOUND = {"beta": number(required=True, low=0.0)}
IMPROVED = {"best_f": number(None)}
LOCAL = {"target": LOOK_AHEAD["target"], "lookahead_type": LOOK_AHEAD["lookahead_type"]}

CANDIDATES = {"candidate_set": whole(512, low=1, high=10_000)}
HIGHEST = {
    **CANDIDATES,
    "num_mv_samples": whole(10, low=1, high=1000),
    "use_gumbel": Key("truth", True),
    **MAXIMIZE,
}
FRONT = {"ref_point": Key("texts", required=True, inherited=False)}
SAMPLED_FRONT = {
    **FRONT,
    "objective": Key("component", kind="objective"),
    "mc_samples": whole(64, low=1, high=10_000),
    "eta": Key("ignored"),
    "fat": Key("ignored"),
}
NOISY_FRONT = {
    **SAMPLED_FRONT,
    "prune_baseline": Key("truth", True),
    "alpha": number(0.0, low=0.0, below=1.0),
}
SMOOTH = {"tau_relu": number(None, above=0.0), "tau_max": number(None, above=0.0)}
