"""The generators, as a static table."""

from __future__ import annotations

from dataclasses import replace

from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.key import Key, number, whole
from fechner.strategies.config.tables.keys import GENERATOR_KEYS

_GENERATORS = "fechner.strategies.generators"

GENERATORS: dict[str, Entry] = {
    "SobolGenerator": Entry(
        "generator", GENERATOR_KEYS, functions={"fill": "fechner.strategies.numerics.sobol:sobol"}
    ),
    "RandomGenerator": Entry(
        "generator", GENERATOR_KEYS, functions={"fill": f"{_GENERATORS}.random:uniform"}
    ),
    "ManualGenerator": Entry(
        "generator",
        {**GENERATOR_KEYS, "points": Key("points", required=True), "shuffle": Key("truth", True)},
        functions={"listed": f"{_GENERATORS}.manual:manual"},
    ),
    "OptimizeAcqfGenerator": Entry(
        "generator",
        {
            **GENERATOR_KEYS,
            "acqf": Key("component", kind="acquisition"),
            "restarts": whole(10, low=1, high=1000),
            "samps": whole(1024, low=1, high=100_000),
            "max_gen_time": number(None, above=0.0),
        },
        needs_model=True,
        searching=True,
        functions={"point": f"{_GENERATORS}.searching:climbed"},
    ),
    "IndependentOptimizeAcqfGenerator": Entry(
        "generator",
        {**GENERATOR_KEYS, "generators": Key("components", kind="generator", inherited=False)},
        stimuli=1,
        needs_model=True,
    ),
    **{
        name: Entry(
            "generator",
            {
                **GENERATOR_KEYS,
                "acqf": Key("component", kind="acquisition"),
                "samps": whole(1024, low=1, high=100_000),
            },
            stimuli=1,
            needs_model=True,
            searching=True,
            functions={"point": f"{_GENERATORS}.{point}"},
        )
        for name, point in (
            ("AcqfGridSearchGenerator", "scans:best"),
            ("AcqfThompsonSamplerGenerator", "scans:drawn"),
        )
    },
    "EpsilonGreedyGenerator": Entry(
        "generator",
        {
            **GENERATOR_KEYS,
            "subgenerator": Key("text", inherited=False),
            "epsilon": number(0.1, low=0.0, high=1.0),
        },
        needs_model=True,
        searching=True,
        functions={"mixed": f"{_GENERATORS}.epsilon_greedy:epsilon_greedy"},
    ),
    "IntensityAwareSemiPGenerator": Entry(
        "generator",
        {
            **GENERATOR_KEYS,
            "context_objective": Key("component", kind="objective"),
            "acqf": Key("component", kind="acquisition"),
            "restarts": whole(10, low=1, high=1000),
            "samps": whole(1024, low=1, high=100_000),
            "max_gen_time": number(None, above=0.0),
        },
        outcome="binary",
        stimuli=1,
        needs_model=True,
        model="SemiParametricGPModel",
        functions={
            "point": f"{_GENERATORS}.intensity_aware:point",
            "completed": "fechner.strategies.config.judging.semi_parametric:with_parts",
        },
    ),
    "MonotonicThompsonSamplerGenerator": Entry(
        "generator",
        {
            **GENERATOR_KEYS,
            "n_samples": Key("ignored"),
            "n_rejection_samples": Key("ignored"),
            "num_ts_points": whole(1000, low=2, high=2000),
            "target_value": number(0.75, above=0.0, below=1.0),
            "objective": Key("component", kind="objective"),
        },
        outcome="binary",
        stimuli=1,
        needs_model=True,
        model="MonotonicProjectionGP",
        functions={"point": f"{_GENERATORS}.thompson:crossing"},
    ),
    "SampleAroundPointsGenerator": Entry(
        "generator",
        {
            **GENERATOR_KEYS,
            "points": Key("points", required=True),
            "window": Key("texts", required=True, inherited=False),
            "samples_per_point": Key("whole", None, True, low=1, high=10_000),
            "shuffle": Key("truth", True),
        },
        functions={
            "listed": f"{_GENERATORS}.around:around",
            "completed": "fechner.strategies.config.judging.generators:with_window",
        },
    ),
}

GENERATORS["MixedOptimizeAcqfGenerator"] = replace(
    GENERATORS["OptimizeAcqfGenerator"], same_as="OptimizeAcqfGenerator"
)
