"""A simulation that is cut short leaves nothing that matters."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tests.naming import refusal

from batch_nlp.config import Config
from batch_nlp.errors import DataError
from batch_nlp.simulation.replay import replay
from batch_nlp.storage.atomic import sweep


def test_what_a_simulation_works_on_goes_with_it_or_with_the_next_run(tmp_path, make_config):
    config = make_config(tmp_path, "pipeline=simulate", "sample.messages=40")
    seen: list[Path] = []

    def fails(inner: Config, _now: datetime) -> None:
        seen.append(Path(inner.paths.data))
        raise DataError("the disk is full")

    folder = tmp_path / "reports" / "stable-1"
    with refusal(DataError, "Day 0", "the disk is full"):
        replay(config, folder, fails)
    (data,) = seen
    assert folder in data.parents
    assert list(folder.iterdir()) == []
    # killed instead, it would have left this; a run that holds the lock alone sweeps it away
    data.mkdir(parents=True)
    sweep(tmp_path / "reports")
    assert list(folder.iterdir()) == []
