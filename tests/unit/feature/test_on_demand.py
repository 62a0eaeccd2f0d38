"""Features of single messages by another definition: which messages get them, and that they are what they would be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from batch_nlp.config import Config
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.on_demand import add_features
from batch_nlp.feature.run import run_feature_pipeline
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Desk:
    """A data folder with the settings of now and of the champion, whose texts are cut after three characters."""

    now: Config
    then: Config
    runs: int = 0

    @property
    def layers(self) -> Layers:
        return Layers(Path(self.now.paths.data), self.now.dataset.name)

    @property
    def store(self) -> FeatureStore:
        return FeatureStore(self.layers.feature_store, self.now.engine)

    def drop(self, name: str, *rows: dict[str, Any]) -> None:
        raw = Path(self.now.dataset.raw_dir)
        raw.mkdir(parents=True, exist_ok=True)
        (raw / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(self, config: Config) -> None:
        self.runs += 1
        run_feature_pipeline(config, self.layers, self.store, f"run-{self.runs}", START + timedelta(hours=self.runs))

    def add(self, *ids: str) -> None:
        definition = FeatureDefinition.from_config(self.then)
        add_features(self.now, self.layers, self.store, definition, ids, "training", START + timedelta(days=1))

    def features(self, ids: Sequence[str]) -> pd.DataFrame:
        found = self.store.features_of(FeatureDefinition.from_config(self.then).version, [*ids])
        return found.sort_values("message_id", ignore_index=True)


@pytest.fixture
def desk(tmp_path: Path, make_config: Callable[..., Config]) -> Desk:
    without = ("features=none", "training.inputs=[tabular]", "engine.commit_rows=2", "engine.batch_rows=2")
    return Desk(make_config(tmp_path, *without), make_config(tmp_path, *without, "features.clean_text.max_chars=3"))


def review(name: str, **more: Any) -> dict[str, Any]:
    sound = {"review_id": name, "text": f"text of {name}", "date": "2020-01-01 00:00:00", "user_id": "u"}
    return {**sound, "business_id": "b", "stars": 5, **more}


def test_the_messages_that_are_asked_for_get_the_features_that_the_champions_settings_give(desk: Desk) -> None:
    desk.drop("review_1.json", review("a"))
    desk.run(desk.then)
    desk.drop("review_2.json", *map(review, "bcdef"), review("e"), review("b", text="another text"))
    desk.drop("review_3.json", {"review_id": "a", "stars": 4})
    desk.run(desk.now)
    # what no run of the settings has taken in
    desk.drop("review_4.json", review("g"))
    asked = ["b", "d", "e", "f", "g"]
    assert desk.features("abcdefg")["message_id"].tolist() == ["a"]
    desk.add(*asked)
    found = desk.features("abcdefg")
    assert found["message_id"].tolist() == ["a", "b", "d", "e", "f"]
    assert set(found["text"]) == {"tex"}
    desk.run(desk.then)
    assert desk.features("abcdefg")["message_id"].tolist() == list("abcdefg")
    pd.testing.assert_frame_equal(desk.features("abdef"), found)


def test_files_that_the_champions_settings_took_in_are_not_read_again(desk: Desk) -> None:
    desk.drop("review_1.json", review("a", date="soon"), *(review(f"m{number}") for number in range(9)))
    desk.run(desk.now)
    desk.run(desk.then)
    desk.add("a")
    assert desk.features(["a"]).empty


def test_what_came_of_it_costs_no_labels_and_no_quarantine(desk: Desk) -> None:
    desk.drop("review_1.json", *map(review, "ab"), review("c", date="soon"))
    desk.run(desk.now)
    before = [desk.store.labels_version(), sorted(desk.layers.feature_quarantine.rglob("*"))]
    desk.add("a", "c")
    assert desk.features("abc")["message_id"].tolist() == ["a"]
    assert [desk.store.labels_version(), sorted(desk.layers.feature_quarantine.rglob("*"))] == before
