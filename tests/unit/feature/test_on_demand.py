"""Features of single messages by another definition: which messages get them, and that they are what they would be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from tests.raw_source import START, RawSource, review

from batch_nlp.config import Config
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.on_demand import add_features


@dataclass
class Desk(RawSource):
    """A data folder with the settings of now and of the champion, whose texts are cut after three characters."""

    then: Config = field(kw_only=True)

    @property
    def now(self) -> Config:
        return self.config

    def run(self, config: Config) -> None:
        self.take_in(config)

    def add(self, *ids: str) -> None:
        definition = FeatureDefinition.from_config(self.then)
        add_features(self.now, self.layers, self.store, definition, ids, "training", START + timedelta(days=1))

    def features(self, ids: Sequence[str]) -> pd.DataFrame:
        found = self.store.features_of(FeatureDefinition.from_config(self.then).version, [*ids])
        return found.sort_values("message_id", ignore_index=True)


@pytest.fixture
def desk(tmp_path: Path, make_config: Callable[..., Config]) -> Desk:
    without = ("features=none", "training.inputs=[tabular]", "engine.commit_rows=2", "engine.batch_rows=2")
    then = make_config(tmp_path, *without, "features.clean_text.max_chars=3")
    return Desk(make_config(tmp_path, *without), then=then)


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
