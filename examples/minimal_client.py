import random

from fechner_client import Client

config = {
    "common": {
        "parnames": ["contrast"],
        "outcome_types": ["binary"],
        "strategy_names": ["explore", "refine"],
    },
    "contrast": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "explore": {"generator": "SobolGenerator", "min_asks": 8},
    "refine": {"generator": "OptimizeAcqfGenerator", "model": "GPClassificationModel", "min_asks": 32},
    "OptimizeAcqfGenerator": {"acqf": "EAVC"},
    "EAVC": {"target": 0.75},
}


def present(contrast):  # your stimulus and the participant's answer; here a simulated one
    return random.random() < 1 / (1 + 3 ** ((0.3 - contrast) / 0.1))


with Client() as client:
    client.setup(config, name="pilot", participant="p01")
    for trial in client.trials():
        trial.tell(present(trial["contrast"]))
    threshold = client.threshold(0.75)
    print(f"seen in 75 % at {threshold.value} ({threshold.lower} to {threshold.upper})")
