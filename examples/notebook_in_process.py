# %% [markdown]
# # Fechner in a notebook
#
# No server program, no socket: server, record and client live in this process. Each `# %%` is a cell
# (VS Code, Spyder and Jupytext read this file as a notebook), and it runs as a plain program, too.

# %% A server in memory (name a file, `Server("pilot.db")`, to keep the record), and a client on it
from fechner.server import Server
from fechner.server.session import replay
from fechner.strategies.random import rng
from fechner.strategies.simulation import detection
from fechner_client import Client

server = Server()
client = Client(server=server)

# %% A configuration as a dict: where in the square is the 75 % line of the detection problem?
observer = detection()
config = {
    "common": {
        "parnames": ["x1", "x2"],
        "outcome_types": ["binary"],
        "strategy_names": ["explore", "refine"],
        "target": observer.target,
    },
    **{
        name: {"par_type": "continuous", "lower_bound": low, "upper_bound": high}
        for name, (low, high) in observer.bounds.items()
    },
    "explore": {"generator": "SobolGenerator", "min_asks": 8},
    "refine": {"generator": "OptimizeAcqfGenerator", "model": "GPClassificationModel", "min_asks": 22},
    "OptimizeAcqfGenerator": {"acqf": "EAVC"},
}
setup = client.setup(config, name="notebook", seed=7)
print(setup.stages, setup.parameters)

# %% The experiment
random = rng(7, "observer")
for trial in client.trials():
    trial.tell(observer.sample(trial.config, random))

# %% What the model knows: thresholds of x2 along x1, and the prediction at a point
for found in client.thresholds(0.75, "x2", x={"x1": [-1, -0.5, 0, 0.5, 1]}):
    print(found.x["x1"], found.value, (found.lower, found.upper))
print(client.prediction({"x1": 0.2, "x2": -0.5})[0])

# %% The record as a dataframe, and again as a strategy to go on with, without server or client
frame = replay.dataframe(server.record)
print(frame[["trial", "stage", "x1", "x2", "outcome", "post_mean"]].tail())
strategy = replay.strategies(server.record, setup.session)[0]
print("the next point would be", strategy.ask())
print("every ask recomputed is identical:", replay.verify(server.record, setup.session).identical)

# %% Done
client.close()
server.close()
