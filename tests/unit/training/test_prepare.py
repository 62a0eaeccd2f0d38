from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from loguru import logger
from omegaconf import OmegaConf
from tests.naming import names, refusal
from tests.settings import default

from batch_nlp.config import (
    ColumnConfig,
    Config,
    DatasetConfig,
    LabelConfig,
    MessagesConfig,
    Role,
    Split,
    TrainingConfig,
)
from batch_nlp.errors import DataError
from batch_nlp.training.prepare import label_sources, prepare

CONFIG = default(
    Config,
    seed=1,
    dataset=default(
        DatasetConfig, name="d", messages=default(MessagesConfig, files="*"), label=default(LabelConfig, column="topic")
    ),
    training=default(TrainingConfig),
)


UNIQUE = [f"h{number}" for number in range(120)]
TIMED: dict[str, Any] = {"at": ColumnConfig(role=Role.time)}


def rows(targets: list[str], texts: list[str] | None = None) -> pd.DataFrame:
    n = len(targets)
    times = pd.Series(pd.date_range("2024-01-01", periods=n, freq="h", tz="UTC").as_unit("us"))
    hashes = texts or [f"h{number}" for number in range(n)]
    return pd.DataFrame(
        {
            "message_id": [f"m{number}" for number in range(n)],
            "written_at": times,
            "text_hash": hashes,
            "target": targets,
            "group": None,
        },
        dtype=object,
    ).astype({"written_at": "datetime64[us, UTC]"})


def with_advice(config: Config, message: str) -> Config:
    """Return the settings that an error says to use."""
    if "training.split=random" in message:
        return replace(config, training=replace(config.training, split=Split.random))
    rare = re.search(r"'dataset\.label\.rare=(\{.*?\})'", message)
    assert rare, message
    label = replace(config.dataset.label, rare=dict(OmegaConf.create(rare[1])))
    return replace(config, dataset=replace(config.dataset, label=label))


@pytest.mark.parametrize(
    ("targets", "texts", "split", "side"),
    [
        # by time: a class of old messages alone, and one of new ones
        (["c"] * 30 + ["a", "b"] * 60, None, Split.time, ["c", 1, 0]),
        (["a", "b"] * 60 + ["c"] * 30, None, Split.time, ["c", 5, 0]),
        # at random: a class of one text, which can be on one side only
        (["c"] * 30 + ["a", "b"] * 60, ["same"] * 30 + UNIQUE, Split.random, ["c"]),
        (["c"] * 30 + ["d"] * 30 + ["a", "b"] * 60,
         ["same"] * 30 + ["other"] * 30 + UNIQUE, Split.random, ["c"]),
    ],
)  # fmt: skip
def test_a_class_that_is_missing_on_one_side_is_named_with_what_works(
    targets: list[str], texts: list[str] | None, split: Split, side: list[object]
) -> None:
    """Guarantee 15."""
    config = replace(CONFIG, training=replace(CONFIG.training, split=split))
    if split is Split.time:
        config = replace(
            config, dataset=replace(config.dataset, messages=default(MessagesConfig, files="*", columns=TIMED))
        )
    with refusal(DataError, *side) as missing:
        prepare(config, rows(targets, texts))
    found, parts = prepare(with_advice(config, str(missing.value)), rows(targets, texts))
    assert len(parts.hold_out) > 20
    assert len(found.map.classes) >= 2


def test_a_misspelt_label_is_told_with_its_message() -> None:
    """Guarantee 10."""
    with refusal(DataError, "bb", 1, "m120"):
        prepare(CONFIG, rows(["a", "b"] * 60 + ["bb"]))


def test_a_stray_label_is_left_out_and_told_of() -> None:
    config = replace(
        CONFIG, dataset=replace(CONFIG.dataset, label=default(LabelConfig, column="topic", rare={"as": "other"}))
    )
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{message}")
    try:
        found, _ = prepare(config, rows(["stray", *["a", "b"] * 60, "stray", "odd"]))
    finally:
        logger.remove(sink)
    assert found.map.classes == ["a", "b"]
    assert [re.findall(r"\d+", line) for line in lines] == [["3", "2", "20"]]


def test_labels_are_counted_by_their_source() -> None:
    messages = pd.DataFrame({"label_source": ["given", None, "rules", "rules", "person"]})
    assert label_sources(messages, messages.index[:4]) == {"given": 2, "rules": 2}


def test_rare_classes_that_become_other_are_told_of() -> None:
    label = default(LabelConfig, column="topic", rare={"under": 21, "as": "other"})
    config = replace(CONFIG, dataset=replace(CONFIG.dataset, label=label))
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}")
    try:
        prepare(config, rows([*["odd"] * 7, *["good", "bad"] * 60, *["dull"] * 20]))
    finally:
        logger.remove(sink)
    assert any(names(line, 27) and names(line, 2) and names(line, "other") for line in lines)
