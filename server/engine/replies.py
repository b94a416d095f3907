"""The reply of a job's step, and the step as it goes on record."""

from __future__ import annotations

from typing import Any

from fechner.database.form.message import Entry
from fechner.server.engine.lanes import Job, Lane
from fechner.server.engine.state import EngineState
from fechner.server.protocol.dialects import Dialect, Request
from fechner.server.protocol.dialects.base import Reply, join, undecided_error
from fechner.server.protocol.jsontext import render as to_json
from fechner.server.session.handlers.results import Answer


def _step_request(job: Job) -> Request:
    """The request of the step being done: an update's steps are a tell and an ask."""
    request = job.request
    if len(job.steps) < 2:
        return request
    step = job.step
    id_ = None if step.type == "ask" else request.id
    return Request(request.raw, step.type, id_, message=step.message)


def render(job: Job, reply: Reply) -> str:
    """The text that answers the job's step."""
    dialect = job.connection.dialect
    if dialect is None:
        assert reply.error is not None
        return undecided_error(reply.error)
    if reply.error is not None and not job.replies:
        return dialect.render(job.request, reply)
    return dialect.render(_step_request(job), reply)


def render_both(job: Job) -> str:
    """The text that answers a job of two steps."""
    dialect = job.connection.dialect
    assert dialect is not None
    done = [one if isinstance(one, Reply) else _recall(dialect, one) for one in job.replies]
    return dialect.render(job.request, join(job.steps[0].type, *done))


def _recall(dialect: Dialect, text: str) -> Reply:
    assert dialect.recall is not None  # nothing is found on record for who sends no id
    return dialect.recall(text)


def entry(engine: EngineState, lane: Lane, job: Job, text: str, ok: bool, answer: Answer | None) -> Entry:
    """The step as it goes on record, with the reply's text exactly as it is sent."""
    dialect = job.connection.dialect
    assert dialect is not None
    fault = job.request.fault is not None
    step_type = job.request.type if fault else job.step.type
    raw: Any = job.request.raw
    if job.replies:  # an update's ask, or a setup's first one
        message = raw.get("message")
        ask = message.get("ask", {}) if isinstance(message, dict) else {}
        raw = {"version": raw.get("version"), "type": "ask", "message": ask}
    return Entry(
        session=lane.session.id,
        client_id=(job.request.id if fault else job.step.key),
        dialect=dialect.name,
        type=step_type or "unreadable",
        request=to_json(raw),
        reply=text,
        ok=ok,
        received_at=job.received.time,
        duration_ms=(engine.now.seconds - job.received.seconds) * 1e3,
        tier=answer.tier if answer is not None else None,
        change=answer.change if answer is not None else None,
    )
