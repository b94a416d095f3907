"""What a module needs stands at its top, lazily where a process should begin without it."""

from __future__ import annotations

import pytest

from .source import imports_inside_functions

#: Import statements in functions, whatever they import. These numbers fall and never rise: a module that is
#: not wanted at once is a `Lazy` one at the top of the file (strategies/_lazy.py).
MOST = {"fechner.server": 14, "fechner.strategies": 34, "fechner.database": 0, "fechner_client": 1}


@pytest.mark.parametrize("package", MOST)
def test_no_more_imports_inside_functions(package: str) -> None:
    """No package has more of them than it had."""
    assert imports_inside_functions(package) <= MOST[package]
