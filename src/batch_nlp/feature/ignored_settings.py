"""Find feature settings that have no effect, since the champion keeps the features it was trained on."""

from __future__ import annotations

from dataclasses import replace

from batch_nlp.config import Role
from batch_nlp.config.builder import AFTER, NAME, step_name
from batch_nlp.feature.definition import FeatureDefinition


def ignored_settings(asked: FeatureDefinition, used: FeatureDefinition) -> list[str]:
    """Return the settings of features that have no effect because the champion's, by which messages are scored, differ.

    Columns and side tables are named by their keys, steps by their names with the parameters that differ. A time column
    that only the settings have is read, so it is not listed.
    """
    columns = [
        f"dataset.messages.columns.{name}"
        for name in {**asked.columns, **used.columns}
        if asked.columns.get(name) != used.columns.get(name) and not _is_read(asked, used, name)
    ]
    theirs, own = ({table.name: replace(table, files="") for table in one.side_tables} for one in (used, asked))
    tables = [f"dataset.side_tables ({name})" for name in {**own, **theirs} if own.get(name) != theirs.get(name)]
    return [*columns, *tables, *_steps(asked, used)]


def _is_read(asked: FeatureDefinition, used: FeatureDefinition, name: str) -> bool:
    return name not in used.columns and asked.columns[name].role is Role.time


def _steps(asked: FeatureDefinition, used: FeatureDefinition) -> list[str]:
    own, theirs = ({step_name(step): step for step in one.steps} for one in (asked, used))
    found = []
    for name in {**own, **theirs}:
        if name not in own or name not in theirs:
            found.append(f"step {name}")
            continue
        both = (own[name].keys() & theirs[name].keys()) - {NAME, AFTER}
        if differ := sorted(key for key in both if own[name][key] != theirs[name][key]):
            found.append(f"step {name} ({', '.join(differ)})")
    return found
