"""ask: hand out the next trials."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from fechner.database.form.changes import AskChange, AskedTrial, Left
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import exceeded, session_full
from fechner.server.protocol.messages import Ask
from fechner.server.session.handlers.registry import handles
from fechner.server.session.handlers.results import Answer, Computation, Context, require_setup
from fechner.strategies.config.judging.gpu import CODE
from fechner.strategies.core import stopping
from fechner.strategies.core.sequential import advance
from fechner.strategies.core.state import State
from fechner.strategies.core.strategy import (
    adopt,
    configs,
    needs_model,
    propose,
    usable_hyperparameters,
)
from fechner.strategies.numerics import device
from fechner.strategies.tiers import SPACE_FILLING_TIER


@handles("ask", "1", "aepsych-0.8")
def ask(context: Context, message: Ask) -> Answer | Computation:
    """The next points of the current strategy, or none where its rules are met."""
    require_setup(context)
    session, limits = context.session, context.limits
    if message.deadline_ms is not None and not message.deadline_ms > 0:
        text = f"a deadline of {message.deadline_ms:g} ms can't be kept"
        raise FechnerError("bad_value", text, "message.deadline_ms", "a time above 0, from the receipt on")
    if message.n > limits.trials_per_tell:
        text = f"{message.n} points in one ask; at most {limits.trials_per_tell}"
        raise exceeded("trials_per_tell", text, "message.n", "ask several times")
    if len(session.trials) + message.n > limits.trials_per_session:
        raise session_full(limits)
    state = session.state
    reason = stopping.finished(advance(state))
    if reason and not (message.beyond or context.traits.asks_go_on):
        return Answer(_reply(advance(state), [], reason), tier="generator")
    fixed = state.space.validate_fixed(dict(message.fixed), "message.fixed") if message.fixed else {}

    def answer(proposal: Mapping[str, Any], deadline_ms: float | None = None) -> Answer:
        return _answer(context, message, fixed, proposal, deadline_ms)

    if not needs_model(state):
        return answer(propose(state, message.n, fixed))
    deadline_ms = message.deadline_ms or advance(state).current.deadline_ms
    return Computation(
        "propose",
        (state, message.n, fixed),
        partial(answer, deadline_ms=deadline_ms),
        deadline_ms=deadline_ms,
        fallback=lambda: propose(state, message.n, fixed, SPACE_FILLING_TIER),
    )


def _answer(
    context: Context,
    message: Ask,
    fixed: dict[str, Any],
    proposal: Mapping[str, Any],
    deadline_ms: float | None,
) -> Answer:
    session = context.session
    state = session.state
    was_over = stopping.finished(advance(state))
    after = adopt(state, proposal)
    first = session.next_trial
    trials: list[AskedTrial] = [
        {"trial": first + i, "config": config} for i, config in enumerate(configs(state, proposal))
    ]
    left = dict(proposal)
    post_mean, post_sd = left.pop("post_mean", None), left.pop("post_sd", None)
    change: AskChange = {
        "type": "ask",
        "strategy": session.current,
        "stage": after.current.name,
        "n": message.n,
        "fixed": fixed,
        "beyond": message.beyond,
        "trials": trials,
        "tier": proposal["tier"],
        "left": cast(Left, left),
        "post_mean": post_mean,
        "post_sd": post_sd,
    }
    if deadline_ms is not None:
        change["deadline_ms"] = deadline_ms
    warnings = [("model", text) for text in proposal.get("warnings", ())]
    if (
        proposal.get("device") == device.PROCESSOR
        and not usable_hyperparameters(state)
        and not device.lacking()
    ):
        # setup could not know it; the first ask with a model says it, the others don't
        warnings.append((CODE, "use_gpu: PyTorch finds no GPU that works; computed on the processor"))
    if was_over:
        warnings.append(("finished", f"the strategy was finished already ({was_over})"))
    if len(trials) < message.n:
        warnings.append(("fewer_points", f"{len(trials)} of {message.n} points: the stage has no more"))
    return Answer(_reply(after, trials, stopping.finished(after)), change, warnings, proposal["tier"])


def _reply(state: State, trials: list[AskedTrial], reason: str | None) -> dict[str, Any]:
    return {
        "trials": trials,
        "stage": state.current.name,
        "finished": reason is not None,
        "reason": reason,
        "remaining": {"trials": stopping.remaining(state)},
    }
