"""The feature pipeline: built from the list of steps that a definition holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from loguru import logger

from batch_nlp.config import Config, EngineConfig, Role, SideTableConfig
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
    """What the steps of one run look things up in, and report to.

    Parameters
    ----------
    side_tables, known, ledger
        Of this run.
    cache_dir : Path
        Where embedders keep what they make once.
    engine : EngineConfig
    labels : Labels, optional
        Reads the labels; without it none are read.
    take_labels, keep : callable, optional
        Take the labelled messages, and the messages of a layer.
    kept_columns : sequence of str
        Source columns that predictions carry.
    """

    side_tables: SideTables
    known: KnownMessages
    ledger: Ledger
    cache_dir: Path
    engine: EngineConfig
    labels: Labels | None = None
    take_labels: Callable[[pd.DataFrame], None] | None = None
    keep: Callable[[str, pd.DataFrame], None] | None = None
    kept_columns: Sequence[str] = ()


def _bound(definition: FeatureDefinition, columns: dict[str, Any], run: FeatureContext | None) -> dict[str, Any]:
    return {
        "columns": columns,
        "joined": joins(columns, definition.side_tables),
        "group": definition.group,
        "timed": bool(names_of(columns, Role.time)),
        "targets": run.labels.allowed if run and run.labels else None,
        "side_tables": run.side_tables if run else None,
        "known": run.known if run else None,
        "ledger": run.ledger if run else None,
        "labels": run.labels if run else None,
        "take_labels": run.take_labels if run else None,
        "keep": run.keep if run else None,
        "kept_columns": run.kept_columns if run else (),
        "cache_dir": str(run.cache_dir) if run else None,
        "threads": run.engine.threads if run else 0,
    }


def read_columns(config: Config, definition: FeatureDefinition) -> dict[str, Any]:
    """Return all columns that are read: those of a definition, and the settings' ids and times."""
    found = {
        name: column for name, column in config.dataset.messages.columns.items() if column.role in (Role.id, Role.time)
    }
    return found | definition.columns


def read_tables(config: Config, definition: FeatureDefinition) -> list[SideTableConfig]:
    """Return the side tables of a definition, in the files that the settings say."""
    files = {table.name: table.files for table in config.dataset.side_tables}
    return [replace(table, files=files.get(table.name, table.files)) for table in definition.side_tables]


def build_feature_pipeline(config: Config, definition: FeatureDefinition, run: FeatureContext) -> MeteredPipeline:
    """Return the feature pipeline.

    Parameters
    ----------
    config : Config
        Says how messages are found and read.
    definition : FeatureDefinition
        Which features.
    run : FeatureContext
        What belongs to this run.
    """
    bound = _bound(definition, read_columns(config, definition), run)
    return MeteredPipeline(build_steps(definition.steps, bound, "features.steps"))


def build_contract(
    config: Config, definition: FeatureDefinition, ledger: Ledger, labels: Labels | None
) -> MeteredPipeline:
    """Return the steps that say whether a row is a message: those up to `validate`.

    Parameters
    ----------
    config, definition
        As for `build_feature_pipeline`.
    ledger : Ledger
        Takes the rows that are not messages.
    labels : Labels or None
        Reads the labels; None reads none.
    """
    names = [step_name(step) for step in definition.steps]
    steps = definition.steps[: names.index("validate") + 1] if "validate" in names else definition.steps[:1]
    allowed = labels.allowed if labels else None
    own = {"ledger": ledger, "labels": labels, "targets": allowed}
    bound = _bound(definition, read_columns(config, definition), None) | own
    return MeteredPipeline(build_steps(steps, bound, "features.steps"))


def feature_fields(definition: FeatureDefinition) -> Fields:
    """Return the fields that the steps of a definition make of a message, in their order.

    Raises
    ------
    SettingsError
        If two steps make a field of one name; the text alone is one that several may rewrite.
    """
    steps = build_steps(definition.steps, _bound(definition, definition.columns, None), "features.steps")
    made: dict[str, str] = {}
    for name, step in steps:
        for field in step.fields() if hasattr(step, "fields") else ():
            first = made.setdefault(field.name.casefold(), name)
            if first != name and field.name != TEXT:
                raise SettingsError(
                    f"features.steps: {first} and {name} both make a field {field.name}. Give a column of "
                    "that name another one (dataset.messages.columns.COLUMN.name), or take one of the steps out."
                )
    return Fields.joined(step.fields() for _, step in steps if hasattr(step, "fields"))


def load_side_tables(
    config: Config, definition: FeatureDefinition, layers: Layers, connection: duckdb.DuckDBPyConnection
) -> SideTables:
    """Return the side tables of a definition, read from where the dataset's files are."""
    # the tables as the definition knows them: a model is given the columns that it was trained on
    dataset = replace(config.dataset, side_tables=read_tables(config, definition))
    joined = joins(definition.columns, dataset.side_tables)
    files = {
        one.table.name: prepare_side_table(dataset, one.table, Path(config.inference.inbox), layers, config.engine)
        for one in joined
    }
    return SideTables(connection, joined, files)


def borrowed_definition(theirs: FeatureDefinition, own: FeatureDefinition) -> FeatureDefinition:
    """Return the definition by which another dataset's champion scores messages of one's own.

    The columns and side tables are one's own, the steps those of the champion but for the ones that its dataset adds;
    what the model is given from them is missing.
    """
    lacking = [name for name in theirs.own if any(step_name(step) == name for step in theirs.steps)]
    if lacking:
        logger.warning("Features of {} that these messages lack stay empty: {}", theirs.dataset, examples(lacking))
    steps = [step for step in theirs.steps if step_name(step) not in theirs.own]
    return replace(own, steps=steps, own=[])
