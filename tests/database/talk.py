"""The messages of one session, to be put on record by tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fechner.database.record import Entry

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"
NOON = datetime(2024, 5, 6, 12, 0, 0, 123456, tzinfo=UTC)


class Talk:
    """Makes the entries of one session, a millisecond apart, with ids that count up."""

    def __init__(self, session: str = SESSION) -> None:
        self.session = session
        self.count = 0

    def entry(self, type: str, change: dict[str, Any] | None = None, **more: Any) -> Entry:
        self.count += 1
        values: dict[str, Any] = {
            "session": self.session,
            "client_id": f"c-{self.count}",
            "dialect": "1",
            "type": type,
            "request": f'{{"type":"{type}"}}',
            "reply": '{"ok":true}',
            "ok": True,
            "received_at": NOON + timedelta(milliseconds=self.count),
            "duration_ms": 1.25,
            "tier": None,
            "change": change,
        }
        return Entry(**(values | more))

    def setup(self, strategy: int = 0, **more: Any) -> Entry:
        change = {
            "type": "setup",
            "strategy": strategy,
            "name": "hearing",
            "participant": "P 7",
            "description": None,
            "metadata": {"lab": "A"},
            "config": "[common]\nparnames = [level]\n",
            "no_end": "error",
            "seed": 2**70,
            "stages": ["init", "opt"],
            "outcomes": [{"name": "outcome_1", "type": "binary"}],
            "parameters": ["level"],
        }
        return self.entry("setup", change | more)

    def ask(self, *trials: tuple[int, dict[str, Any]], **more: Any) -> Entry:
        change = {
            "type": "ask",
            "strategy": 0,
            "stage": "opt",
            "n": len(trials),
            "fixed": {},
            "beyond": False,
            "trials": [{"trial": number, "config": config, "unit": [[0.5]]} for number, config in trials],
            "tier": "model",
            "left": {"lengthscale": [0.1, 1 / 3]},
            "post_mean": [0.1 + 0.2] * len(trials),
            "post_sd": [1e-300] * len(trials),
        }
        return self.entry("ask", change | more, tier="model")

    def tell(self, trial: int, outcome: Any, **more: Any) -> Entry:
        told = {
            "trial": trial,
            "strategy": 0,
            "asked": True,
            "config": {"level": 0.25},
            "shown": None,
            "outcome": outcome,
            "model_data": True,
            "response_time": None,
            "confidence": None,
            "client_time": None,
            "extra": {},
        }
        return self.entry("tell", {"type": "tell", "trials": [told | more]})
