"""Defaults stand in conf/ alone, and settings become JSON values as they are."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from pydantic.dataclasses import is_pydantic_dataclass
from tests.conftest import ROOT, MakeConfig
from tests.settings import composed, default

from batch_nlp.config import ColumnConfig, Config, EngineConfig, ModelConfig, SideTableConfig, plain, schema
from batch_nlp.storage.sql import connect


def test_a_default_stands_in_conf_unless_conf_has_no_place_for_it() -> None:
    """Those of a model differ from file to file; its parameters are also what a user removes with ``~``."""
    sections = {found for found in vars(schema).values() if is_pydantic_dataclass(found)}
    with_defaults = {
        (section, name)
        for section in sections - {ColumnConfig, SideTableConfig}
        for name, field in section.__pydantic_fields__.items()
        if not field.is_required()
    }
    assert with_defaults == {(ModelConfig, "params"), (ModelConfig, "inputs"), (ModelConfig, "alternative")}


@pytest.mark.parametrize("limit", ["512MB", "1.5 GiB", "80%"])
def test_joins_take_each_limit_that_duckdb_takes(limit: str, tmp_path: Path) -> None:
    engine = default(EngineConfig, memory_limit=limit, temp_directory=str(tmp_path))
    with connect(engine) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_no_choice_of_a_group_repeats_a_default() -> None:
    whole: Any = OmegaConf.to_container(OmegaConf.load(ROOT / "conf" / "config.yaml"))

    def repeated(values: dict[str, Any], defaults: dict[str, Any], key: str) -> list[str]:
        found = []
        for name, value in values.items():
            known = defaults.get(name, MISSING)
            if isinstance(value, dict) and isinstance(known, dict):
                found += repeated(value, known, f"{key}.{name}")
            elif value == known:
                found.append(f"{key}.{name}")
        return found

    doubles = []
    for file in (ROOT / "conf").glob("*/*.yaml"):
        own: Any = OmegaConf.to_container(OmegaConf.load(file)) or {}
        own.pop("defaults", None)
        # these set what other groups have, often what is the default, to compare with it
        if file.parent.name in whole:
            doubles += repeated(own, whole[file.parent.name], str(file.relative_to(ROOT)))
    assert doubles == []


def test_settings_as_json_values_are_those_that_were_composed(tmp_path: Path, make_config: MakeConfig) -> None:
    values: Any = OmegaConf.to_container(
        composed("dataset=complaints", "model=xgboost", "paths.data=/nowhere", "paths.models=/nowhere"), resolve=True
    )
    found = plain(make_config(tmp_path, "dataset=complaints", "engine.threads=0", "inference.min_age_seconds=2.0"))
    for place in ("dataset", "training", "model", "features", "drift"):
        for name in set(values[place]) - {"raw_dir", "messages"}:
            # compared as they are written: 1 is 1.0 otherwise
            written = [json.dumps(side[place][name], sort_keys=True) for side in (found, values)]
            assert written[0] == written[1]
    assert set(found) == {field.name for field in fields(Config)}
