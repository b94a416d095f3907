"""A fit that fails numerically falls back, with a warning in the reply and on record; never silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from fechner.server import Server
from fechner.server.session.replay import verify
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.core.strategy import propose
from fechner.strategies.models.families import gp_classification, gp_regression

CONFIG = """
[common]
parnames = [p]
outcome_types = [{outcome}]
strategy_names = [opt]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[opt]
generator = OptimizeAcqfGenerator
model = {model}
min_asks = 20
[OptimizeAcqfGenerator]
acqf = MCPosteriorVariance
samps = 32
restarts = 2
"""
MODULES = {
    "binary": (gp_classification, "GPClassificationModel"),
    "continuous": (gp_regression, "GPRegressionModel"),
}


class Session:
    """A session in this process; what a test patches fails while it is `broken`."""

    broken = False

    def __init__(self, server: Server, outcome: str) -> None:
        self.outcome = outcome
        self.server, self.channel = server, server.connect()
        self.id = self.send("setup", {"config": CONFIG.format(outcome=outcome, model=MODULES[outcome][1])})[
            "session"
        ]
        for p, y in ((0.1, 0), (0.4, 0), (0.6, 1), (0.9, 1)):
            self.send("tell", {"config": {"p": p}, "outcome": y})

    def send(self, type: str, message: Any = None) -> Any:
        reply = self.channel.request({"version": "1", "type": type, "message": message or {}})
        assert reply["ok"], reply
        return reply

    def warned(self, reply: Any) -> list[str]:
        """What the reply says about the model."""
        return [one["detail"] for one in reply.get("warnings", ()) if one["code"] == "model"]

    def left(self) -> list[str]:
        """What the last recorded ask says about it."""
        changes = [change for _, _, change in self.server.record.changes(self.id) if change["type"] == "ask"]
        return list(changes[-1]["left"].get("warnings", ()))

    def replays(self, sound: int = 0) -> bool:
        """Whether it verifies where the first `sound` asks were computed soundly, and the others not."""
        calls = 0

        def compute(*arguments: Any) -> Any:
            nonlocal calls
            self.broken = calls >= sound
            calls += 1
            return propose(*arguments)

        return verify(self.server.record, self.id, compute).identical


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        yield one


@dataclass(frozen=True)
class Broken:
    """A family of models in which a test puts its own functions."""

    fit: Callable[..., Any]
    posterior: Callable[..., Any]


def break_family(monkeypatch: pytest.MonkeyPatch, family: Any, **functions: Any) -> None:
    """Put functions in the place of a family's."""
    broken = Broken(functions.get("fit", family.fit), functions.get("posterior", family.posterior))
    found: dict[str, Any] = {"family": broken}
    entry = replace(CLASSES[family.name], functions=found)
    monkeypatch.setitem(CLASSES, family.name, entry)


def fail(*_: Any, **__: Any) -> Any:
    raise np.linalg.LinAlgError("the matrix is not positive definite")


@pytest.fixture(params=["binary", "continuous"])
def session(request: pytest.FixtureRequest, server: Server) -> Session:
    """A session with four trials, of each outcome type."""
    return Session(server, request.param)


@pytest.mark.parametrize("fitted_before", [False, True])
def test_hyperparameters_that_cannot_be_fitted_are_a_warning(
    session: Any, monkeypatch: pytest.MonkeyPatch, fitted_before: bool
) -> None:
    """The last ones are used, or the priors' typical ones; the reply and the record say so; it replays."""
    if fitted_before:
        assert session.warned(session.send("ask")) == []
        session.send("tell", {"trial": 5, "outcome": 1})
    module = MODULES[session.outcome][0]
    real = module._evidence
    monkeypatch.setattr(module, "_evidence", lambda *a, **k: fail if session.broken else real(*a, **k))
    session.broken = True
    reply = session.send("ask")
    [said] = session.warned(reply)
    assert "could not be fitted (the matrix is not positive definite)" in said
    assert ("the last ones" if fitted_before else "the priors' typical ones") in said
    assert session.left() == [said]
    assert session.warned(session.send("query", {"query": "prediction", "x": {"p": [0.5]}})) == [said]
    assert session.replays(int(fitted_before))


def test_a_posterior_that_cannot_be_computed_gives_points_that_fill_the_space(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not an error in the middle of an experiment, and not an old answer; it replays."""
    break_family(monkeypatch, MODULES[session.outcome][0].FAMILY, posterior=fail)
    reply = session.send("ask")
    assert 0 <= reply["message"]["trials"][0]["config"]["p"] <= 1
    [said] = session.warned(reply)
    assert "could not be computed (the matrix is not positive definite); the points fill the space" in said
    assert session.left() == [said]
    assert session.replays()


def test_the_last_fit_stands_in_where_the_new_one_gives_no_posterior(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of asks and of queries."""
    session.send("ask")
    session.send("tell", {"trial": 5, "outcome": 1})
    family = MODULES[session.outcome][0].FAMILY
    real, refitted = family.posterior, family.fit

    def posterior(component: Any, x: Any, y: Any, hyperparameters: Any, **more: Any) -> Any:
        return fail() if "new" in hyperparameters else real(component, x, y, hyperparameters, **more)

    mark = {"new": True}

    def fit(*a: Any, **k: Any) -> Any:
        return refitted(*a, **k) | (mark if session.broken else {})

    break_family(monkeypatch, family, fit=fit, posterior=posterior)
    session.broken = True
    asked = session.send("ask")
    queried = session.send("query", {"query": "prediction", "x": {"p": [0.5]}})
    for reply in (asked, queried):
        [said] = session.warned(reply)
        assert "the hyperparameters of the last fit are used" in said
    assert asked["timing"]["tier"] == "model"
    assert session.replays(1)


def test_a_query_without_any_fit_says_that_typical_values_are_used(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where even the first one gives no posterior."""
    family = MODULES[session.outcome][0].FAMILY
    real, fitted = family.posterior, family.fit

    def posterior(component: Any, x: Any, y: Any, hyperparameters: Any, **more: Any) -> Any:
        return fail() if "new" in hyperparameters else real(component, x, y, hyperparameters, **more)

    def fit(component: Any, x: Any, y: Any, *rest: Any, **more: Any) -> Any:
        return {**fitted(component, x, y, *rest, **more), **({"new": True} if len(y) else {})}

    break_family(monkeypatch, family, fit=fit, posterior=posterior)
    [said] = session.warned(session.send("query", {"query": "prediction", "x": {"p": [0.5]}}))
    assert "the priors' typical values are used" in said
