"""One thread for the arithmetic while it computes, and as many as before afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from fechner.strategies.numerics import threads
from fechner.strategies.numerics.threads import hold_torch, single_thread


def test_torch_is_held_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a computation within another; outside of one nothing changes."""
    monkeypatch.setattr(threads, "_fixed", False)  # as in a notebook
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        hold_torch()
        assert torch.get_num_threads() == 2
        with single_thread():
            with single_thread():
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_torch_imported_within_is_held_too() -> None:
    """A function that needs torch for the first time in a notebook computes as in a worker."""
    code = """
from fechner.strategies.numerics.threads import hold_torch, single_thread
with single_thread():
    import torch
    torch.set_num_threads(3)
    hold_torch()
    assert torch.get_num_threads() == 1
assert torch.get_num_threads() == 3
"""
    subprocess.run([sys.executable, "-c", code], check=True)
