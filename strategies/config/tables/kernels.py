"""GPyTorch's kernels and means, as a static table."""

from __future__ import annotations

from collections.abc import Mapping

from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.key import Key, number

#: Those that join several, and the one that gives a kernel its scale.
JOINED = ("AdditiveKernel", "ProductKernel")
SCALE = "ScaleKernel"

_IGNORED = Key("ignored")
_ANY: dict[str, Key] = {
    "class": _IGNORED,
    "active_dims": Key("coordinates"),
    "ard_num_dims": _IGNORED,
}
_PARTS = Key("components", kind="kernel", required=True, inherited=False)
_KEYS: dict[str, Mapping[str, Key]] = {
    "RBFKernel": {},
    "MaternKernel": {"nu": number(2.5, above=0.0)},
    "RQKernel": {},
    "PeriodicKernel": {},
    "CosineKernel": {},
    "LinearKernel": {},
    "PolynomialKernel": {"power": Key("whole", None, True, low=1, high=10)},
    "ScaleKernel": {"base_kernel": Key("component", kind="kernel", required=True, inherited=False)},
    "AdditiveKernel": {"kernels": _PARTS},
    "ProductKernel": {"kernels": _PARTS},
}
KERNELS: dict[str, Entry] = {
    name: Entry("kernel", {**_ANY, **keys}, stimuli=0 if name == "RBFKernel" else 1)
    for name, keys in _KEYS.items()
}
MEANS: dict[str, Entry] = {
    name: Entry("mean", {"class": _IGNORED, "input_size": _IGNORED}, stimuli=1)
    for name in ("ConstantMean", "ZeroMean", "LinearMean")
}
