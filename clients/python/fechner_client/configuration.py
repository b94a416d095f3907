"""A configuration from wherever the experimenter keeps it: text, a file, nested dicts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Union


def configuration(
    config: Union[str, Mapping[str, Any], None], file: Union[str, os.PathLike[str], None]
) -> Union[str, dict[str, Any]]:
    """What setup sends: INI text as it is, anything else as a dict. Just one of the two must be given.

    A ``file`` whose name ends in ``.json`` holds ``{section: {key: value}}``, any other INI text.
    """
    if (config is None) == (file is None):
        raise TypeError("setup takes a configuration (text or a dict) or file=, one of the two")
    if file is not None:
        with open(file, encoding="utf-8-sig") as opened:
            text = opened.read()
        if os.fspath(file).lower().endswith(".json"):
            return _sections(text, os.fspath(file))
        return text
    if isinstance(config, str):
        if "\n" not in config and "[" not in config:
            raise ValueError(f"{config!r} is no configuration; for a file: setup(file={config!r})")
        return config
    assert config is not None
    return dict(config)


def _sections(text: str, file: str) -> dict[str, Any]:
    try:
        sections = json.loads(text)
    except ValueError as fault:
        raise ValueError(f"{file} is no JSON: {fault}") from None
    if not isinstance(sections, dict):
        raise ValueError(f"{file} holds no object of sections")
    return sections
