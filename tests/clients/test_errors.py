"""Server errors as exceptions."""

from __future__ import annotations

import pickle

import pytest

from fechner_client import FechnerError, Timeout, ValueRefused
from fechner_client.errors import error_of

CODES = (
    "bad_json too_large too_deep bad_request unknown_type unknown_version unknown_field bad_value "
    "unknown_parameter out_of_bounds bad_outcome bad_config no_session unknown_session session_busy "
    "no_strategy unknown_strategy unknown_trial trial_already_told no_model not_enough_data unauthorized "
    "id_reused limit_reached read_only shutting_down storage_failed internal"
)


@pytest.mark.parametrize("code", CODES.split())
def test_every_code_of_the_wire_has_its_class(code: str) -> None:
    """A family's class, the code kept."""
    error = error_of({"code": code, "detail": "so"})
    assert type(error) is not FechnerError
    assert error.code == code


def test_an_unknown_code_is_still_an_error() -> None:
    """A newer server may say something new."""
    error = error_of({"code": "tired", "detail": "so", "where": "here", "hint": "rest", "until": 5})
    assert str(error) == "so (at here); rest [tired]"
    assert error.more == {"until": 5}


def test_errors_survive_a_process_boundary() -> None:
    """Pickling keeps every field (multiprocessing, joblib)."""
    refused = error_of({"code": "out_of_bounds", "detail": "5 > 1", "hint": "0 to 1"})
    error = pickle.loads(pickle.dumps(refused))  # noqa: S301
    assert isinstance(error, ValueRefused)
    assert (error.code, error.detail, error.hint) == ("out_of_bounds", "5 > 1", "0 to 1")
    late = pickle.loads(pickle.dumps(Timeout("timeout", "late")))  # noqa: S301
    assert isinstance(late, TimeoutError)
