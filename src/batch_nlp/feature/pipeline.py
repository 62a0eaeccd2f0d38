"""Build the feature pipeline from the steps of a definition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from loguru import logger

from batch_nlp.config import Config, Role, SideTableConfig
from batch_nlp.config.builder import build_steps, step_name
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import joins, names_of
from batch_nlp.dataset.side_table_join import SideTables
from batch_nlp.dataset.side_tables import prepare_side_table
from batch_nlp.errors import SettingsError, examples
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.fields import TEXT, Fields
from batch_nlp.steps.base import MeteredPipeline
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger


@dataclass(frozen=True)
class FeatureContext:
    """What the steps of a run need from the run; the defaults are enough to ask steps for their fields.

    `cache_dir` is the cache of the embedders. `labels` reads labels, and None reads none. `take_labels` and `keep`
    receive labelled messages and the messages of a layer. `kept_columns` are copied from the source to the predictions.
    """

    side_tables: SideTables | None = None
    known: KnownMessages | None = None
    ledger: Ledger | None = None
    cache_dir: Path | None = None
    threads: int = 0
    labels: Labels | None = None
    take_labels: Callable[[pd.DataFrame], None] | None = None
    keep: Callable[[str, pd.DataFrame], None] | None = None
    kept_columns: Sequence[str] = ()


def _bound(definition: FeatureDefinition, columns: dict[str, Any], run: FeatureContext) -> dict[str, Any]:
    return vars(run) | {
        "columns": columns,
        "joined": joins(columns, definition.side_tables),
        "group": definition.group,
        "timed": bool(names_of(columns, Role.time)),
        "targets": run.labels.allowed if run.labels else None,
        "cache_dir": str(run.cache_dir) if run.cache_dir else None,
    }


def read_columns(config: Config, definition: FeatureDefinition) -> dict[str, Any]:
    """Return the columns to read: those of a definition, and the ids and times of the settings."""
    found = {
        name: column for name, column in config.dataset.messages.columns.items() if column.role in (Role.id, Role.time)
    }
    return found | definition.columns


def read_tables(config: Config, definition: FeatureDefinition) -> list[SideTableConfig]:
    """Return the side tables of a definition with the file patterns of the settings."""
    files = {table.name: table.files for table in config.dataset.side_tables}
    return [replace(table, files=files.get(table.name, table.files)) for table in definition.side_tables]


def build_feature_pipeline(config: Config, definition: FeatureDefinition, run: FeatureContext) -> MeteredPipeline:
    """Build the pipeline that computes the features of a definition; the settings say how messages are read."""
    bound = _bound(definition, read_columns(config, definition), run)
    return MeteredPipeline(build_steps(definition.steps, bound, "features.steps"))


def build_contract(
    config: Config, definition: FeatureDefinition, ledger: Ledger, labels: Labels | None
) -> MeteredPipeline:
    """Build the steps up to `validate`, which check whether a row is a valid message; the ledger gets the others."""
    names = [step_name(step) for step in definition.steps]
    steps = definition.steps[: names.index("validate") + 1] if "validate" in names else definition.steps[:1]
    bound = _bound(definition, read_columns(config, definition), FeatureContext(ledger=ledger, labels=labels))
    return MeteredPipeline(build_steps(steps, bound, "features.steps"))


def feature_fields(definition: FeatureDefinition) -> Fields:
    """Return the fields that the steps of a definition compute, in order.

    Raises a `SettingsError` if two steps compute a field of the same name; only the text may be rewritten by several
    steps.
    """
    steps = build_steps(definition.steps, _bound(definition, definition.columns, FeatureContext()), "features.steps")
    made: dict[str, str] = {}
    for name, step in steps:
        for field in step.fields() if hasattr(step, "fields") else ():
            first = made.setdefault(field.name.casefold(), name)
            if first != name and field.name != TEXT:
                raise SettingsError(
                    f"features.steps: {first} and {name} both compute a field {field.name}. Rename the field of a "
                    "column (dataset.messages.columns.COLUMN.name), or remove one of the steps."
                )
    return Fields.joined(step.fields() for _, step in steps if hasattr(step, "fields"))


def load_side_tables(
    config: Config, definition: FeatureDefinition, layers: Layers, connection: duckdb.DuckDBPyConnection
) -> SideTables:
    """Load the side tables of a definition from the dataset's files."""
    # the tables as in the definition: a model gets the columns that it was trained on
    dataset = replace(config.dataset, side_tables=read_tables(config, definition))
    joined = joins(definition.columns, dataset.side_tables)
    files = {
        one.table.name: prepare_side_table(dataset, one.table, Path(config.inference.inbox), layers, config.engine)
        for one in joined
    }
    return SideTables(connection, joined, files)


def borrowed_definition(theirs: FeatureDefinition, own: FeatureDefinition) -> FeatureDefinition:
    """Return the definition by which another dataset's champion scores one's own messages.

    It has one's own columns and side tables, and the champion's steps without those that the champion's dataset adds.
    Fields of the omitted steps stay empty.
    """
    lacking = [name for name in theirs.own if any(step_name(step) == name for step in theirs.steps)]
    if lacking:
        logger.warning(
            "These messages lack some features of {}, which stay empty: {}", theirs.dataset, examples(lacking)
        )
    steps = [step for step in theirs.steps if step_name(step) not in theirs.own]
    return replace(own, steps=steps, own=[])
