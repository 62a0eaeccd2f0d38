"""Loads the banks of words and clauses that the generators draw from; they lie beside this module, in data/."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml


@lru_cache(maxsize=16)
def bank(name: str) -> Any:
    """Return the content of ``data/<name>.yaml``; nobody may change it."""
    text = files("batch_nlp.sample").joinpath("data", f"{name}.yaml").read_text("utf-8")
    # libyaml reads them ten times as fast, where PyYAML was built with it
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text).get_single_data()
