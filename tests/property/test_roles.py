"""Guarantees 4 and 5 for datasets of any roles: with and without ids, times, numbers, categories, lists and labels."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from tests.settings import bare_dataset

from batch_nlp.config import Config, DatasetConfig, parse
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import check_columns
from batch_nlp.dataset.message_reader import read_labels, read_messages
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import FeatureContext, build_feature_pipeline, load_side_tables, read_columns
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.sql import connect

Row = Mapping[str, Any]

# What a column may hold beside its role: of all but the first text, any may be absent
COLUMNS: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "key": ({"role": "id"}, ["a", "b", "c", 7, "7.0", 7.0, "", None, [], "x" * 257]),
    "title": ({"role": "text"}, ["Late", None, "", ["So", "late"], 5]),
    "at": (
        {"role": "time", "format": "%m/%d/%Y %H:%M", "zone": "Europe/Rome"},
        ["2/21/2015 23:59", "12/01/2020 00:00", "soon", None, ""],
    ),
    "price": ({"role": "number"}, [1, 2.5, "$1,000", "a lot", None, True]),
    "shop": ({"role": "category"}, ["north", " south ", "[x]", None, "", ["a", "b"], 3.0]),
    "topic": ({}, ["x", "y", 7, None, "", []]),
    "kind": ({"role": "ignore"}, ["in", "in", "in", "out", None]),
}
BODIES = [
    "fine",
    "fine ",
    "bad!\r\nvery",
    "bad!\nvery",
    "",
    "  ",
    None,
    ["in", "parts"],
    [["deep"]],
    5,
    "\ud800",
    "e\u0301",
    "é",
]
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

present = st.sets(st.sampled_from(list(COLUMNS)))
values = {name: st.sampled_from(found) for name, (_, found) in COLUMNS.items()}
rows = st.lists(st.fixed_dictionaries({"body": st.sampled_from(BODIES), **values}), max_size=14)


@dataclass(frozen=True)
class Outcome:
    """The outcome of the rows of some files."""

    features: pd.DataFrame
    labelled: list[str]
    ledger: Ledger


Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def run(make_config: Callable[..., Config], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a function that processes rows as the feature pipeline does."""
    base = make_config(tmp_path_factory.mktemp("roles"), "features=none", "training.inputs=[tabular,ngrams]")
    layers = Layers(Path(base.paths.data), "roles")

    def dataset(columns: set[str], folder: str) -> DatasetConfig:
        roles = {name: COLUMNS[name][0] for name in COLUMNS if name in columns and COLUMNS[name][0]}
        found: DatasetConfig = parse(
            DatasetConfig,
            OmegaConf.merge(
                bare_dataset(),
                {
                    "name": "roles",
                    "raw_dir": folder,
                    "messages": {
                        "files": "*",
                        "columns": {"body": {"role": "text"}, **roles},
                        "where": "kind = 'in'" if "kind" in columns else None,
                    },
                    "label": {"column": "topic" if "topic" in columns else None},
                },
            ),
        )
        check_columns(found)
        return found

    def take_in(
        columns: set[str],
        content: Sequence[Row],
        batch_rows: int,
        stored: pd.DataFrame | None = None,
        labels_alone: Sequence[Row] = (),
    ) -> Outcome:
        with tempfile.TemporaryDirectory() as folder, connect(base.engine) as connection:
            config = replace(base, dataset=dataset(columns, folder), engine=replace(base.engine, batch_rows=batch_rows))
            definition, ledger = FeatureDefinition.from_config(config), Ledger()
            labelled: list[str] = []
            ids = None if stored is None else pa.Table.from_pandas(stored, preserve_index=False)
            pipeline = build_feature_pipeline(
                config,
                definition,
                FeatureContext(
                    load_side_tables(config, definition, layers, connection),
                    KnownMessages(connection, ids),
                    ledger,
                    layers.embedding_cache,
                    config.engine,
                    Labels(config.dataset.label),
                    lambda found: labelled.extend(found["message_id"]),
                ),
            )
            file, alone = Path(folder) / "messages.json", Path(folder) / "labels.json"
            kept = ["body", *columns]
            file.write_text("".join(json.dumps({name: row[name] for name in kept}) + "\n" for row in content))
            alone.write_text("".join(json.dumps(row) + "\n" for row in labels_alone))
            parts = []
            for batch in read_messages(config, read_columns(config, definition), [file], labels=True):
                ledger.receive(batch)
                parts.append(pipeline.transform(batch.rows))
                ledger.done += len(parts[-1])
            if labels_alone:
                for found in read_labels(config, [alone], ledger):
                    labelled.extend(found["message_id"])
            ledger.check_accounts()
        whole = pd.concat([part for part in parts if len(part)] or parts[:1] or [pd.DataFrame({"message_id": []})])
        return Outcome(whole.reset_index(drop=True), labelled, ledger)

    return take_in


@settings(max_examples=25, suppress_health_check=SLOW)
@given(columns=present, content=rows, batch_rows=st.integers(1, 15), alone=rows)
def test_every_row_is_accounted_for_whatever_roles_there_are(
    run: Run, columns: set[str], content: list[Row], batch_rows: int, alone: list[Row]
) -> None:
    """Guarantee 5."""
    labels_alone = [{"key": row["key"], "topic": row["topic"]} for row in alone] if {"key", "topic"} <= columns else []
    outcome = run(columns, content, batch_rows, None, labels_alone)
    ledger = outcome.ledger
    assert ledger.read == len(content) + len(labels_alone)
    assert ledger.left_out == (sum(row["kind"] != "in" for row in content) if "kind" in columns else 0)
    out = ledger.known + ledger.duplicates + ledger.quarantined + ledger.left_out + ledger.labels_alone
    assert ledger.read == len(outcome.features) + out
    assert ledger.known == 0
    assert outcome.features["message_id"].is_unique
    if "topic" not in columns:
        assert not outcome.labelled
    # the same again: nothing is new
    if len(outcome.features):
        stored = outcome.features[["message_id", "text_hash"]]
        again = run(columns, content, batch_rows, stored)
        assert again.features.empty
        assert again.ledger.duplicates == 0
        assert again.ledger.known == ledger.done + ledger.duplicates


@settings(max_examples=25, suppress_health_check=SLOW)
@given(columns=present, content=rows, data=st.data())
def test_features_are_the_same_alone_shuffled_and_in_any_chunk_size(
    run: Run, columns: set[str], content: list[Row], data: st.DataObject
) -> None:
    """Guarantee 4; of messages that share an id the first counts, so each has its own here."""
    content = [{**row, "key": f"m{number}"} for number, row in enumerate(content)]
    if "key" not in columns:  # of equal texts the first counts: they say the same
        content = [{**row, "price": content[0]["price"], "shop": content[0]["shop"]} for row in content]
    together = run(columns, content, 20)
    shuffled = run(columns, data.draw(st.permutations(content)), data.draw(st.integers(1, 6)))
    assert (together.ledger.summary()) == shuffled.ledger.summary()
    names = [name for name in together.features if name not in ("source_file", "source_line", "target")]
    if together.features.empty:
        assert shuffled.features.empty
        return
    first, second = (
        found.features[names].sort_values("message_id", ignore_index=True) for found in (together, shuffled)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True, check_dtype=False)
    one = data.draw(st.sampled_from(content))
    alone = run(columns, [one], 1).features
    if len(alone):
        same = first[first["message_id"] == alone["message_id"].iloc[0]].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone[names], same, check_exact=True, check_dtype=False)
