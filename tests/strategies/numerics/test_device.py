"""What is known of this machine's GPU without torch."""

import subprocess
import sys

import pytest

from fechner.strategies.numerics import device as gpu


@pytest.mark.parametrize("build", ["2.13.0+cpu", None])
def test_what_is_lacking(build: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build of torch for processors, or none at all, has no GPU."""

    def version(_: str) -> str:
        if build is None:
            raise gpu.PackageNotFoundError
        return build

    monkeypatch.setattr(gpu, "version", version)
    assert "PyTorch" in str(gpu.lacking.__wrapped__())


def test_a_driver_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a build for GPUs the driver's library decides."""
    monkeypatch.setattr(gpu, "version", lambda _: "2.13.0")
    monkeypatch.setattr(gpu.platform, "system", lambda: "Linux")
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda _: None)
    assert gpu.lacking.__wrapped__() is None

    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(gpu.ctypes, "CDLL", missing)
    assert gpu.lacking.__wrapped__() == "there is no driver of a GPU"


def test_nothing_heavy_is_loaded() -> None:
    """The listening process asks without numpy and torch."""
    code = "import sys; from fechner.strategies.numerics import device; device.lacking(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "scipy"} & set(done.stdout.split())
