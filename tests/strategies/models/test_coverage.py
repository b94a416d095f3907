"""Intervals contain the truth as often as they say."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "coverage.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_coverage", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_coverage_of_a_few_observers(script: ModuleType) -> None:
    """Sixty observers from the prior: most thresholds lie in their 95 % intervals."""
    found = script.coverage(60, 30, 1, seed=1)
    assert found.observers == 60
    assert found.threshold > 0.85


@pytest.mark.timeout(1200)
@pytest.mark.long
@pytest.mark.parametrize("d", [1, 2])
def test_coverage_is_nominal(script: ModuleType, d: int) -> None:
    """Over 1,000 observers from the prior 93 to 97 % of thresholds and of f lie in their 95 % intervals."""
    found = script.coverage(1000, 40, d)
    assert 0.93 <= found.threshold <= 0.97
    assert 0.93 <= found.latent <= 0.97
