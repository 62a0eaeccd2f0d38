from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from omegaconf import OmegaConf

from batch_nlp.config import Config, plain


def test_settings_as_json_values_are_those_of_omegaconf(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    """OmegaConf makes them by way of nodes, which took a sixth of a small run."""
    config = make_config(tmp_path, "dataset=complaints")
    # compared as they are written: 1 is 1.0 otherwise
    assert repr(plain(config)) == repr(OmegaConf.to_container(config, enum_to_str=True))
