"""The schema of new messages: the champion's columns, or those of the settings if it belongs to another dataset."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from batch_nlp.config import DatasetConfig
from batch_nlp.dataset.unreadable_values import unreadable_files
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.runner.champion import champion_definition
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.raw.set_aside import SetAside


@dataclass(frozen=True)
class InputSchema:
    """How columns of new messages are read for the champion."""

    # Of the features to compute
    definition: FeatureDefinition
    # With the columns and side tables to read
    dataset: DatasetConfig
    # The champion's version if its own columns are read, whatever the settings say
    champion: str | None

    def check(self, run: RunContext, names: Iterable[str]) -> dict[str, SetAside]:
        """Refuse files of the inbox with a changed schema; return, by name, the files without a readable row."""
        from batch_nlp.dataset.schema_check import check_schema

        files = {file: name for name in names if (file := run.inbox / name).is_file()}
        found = check_schema(self.dataset, [*files], run.inbox, run.layers, labels=False, champion=self.champion)
        return {files[file]: problem for file, problem in found.items()}


def input_schema_for(run: RunContext, version: str, manifest: dict[str, Any]) -> InputSchema:
    """Return the schema of new messages for a model version."""
    from batch_nlp.feature.pipeline import borrowed_definition, read_columns, read_tables

    definition = champion_definition(version, manifest)
    keeps_columns = definition.dataset == run.config.dataset.name
    if not keeps_columns:
        definition = borrowed_definition(definition, run.definition)
    dataset = run.config.dataset
    messages = replace(dataset.messages, columns=read_columns(run.config, definition))
    dataset = replace(dataset, messages=messages, side_tables=read_tables(run.config, definition))
    return InputSchema(definition, dataset, version if keeps_columns else None)


def unread_by_champion(run: RunContext, names: Collection[str]) -> list[SetAside]:
    """Return the files of the inbox without a row that the champion can read; empty if there is no champion."""
    if not names or (version := run.registry.champion_version()) is None:
        return []
    schema = input_schema_for(run, version, read_manifest(run.registry.root / version))
    files = (run.inbox / name for name in names)
    return unreadable_files(schema.dataset, files, labels=False, champion=schema.champion)
