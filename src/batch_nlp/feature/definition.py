"""The definition of a message's features, and the version derived from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from batch_nlp.config import ColumnConfig, Config, EmbeddingConfig, Role, SideTableConfig, parse, plain
from batch_nlp.config.builder import AFTER, NAME, TARGET, check_steps, step_name
from batch_nlp.config.targets import FEATURE_STEPS
from batch_nlp.dataset.message_columns import FEATURE_ROLES, names_of
from batch_nlp.errors import SettingsError, did_you_mean
from batch_nlp.steps.embedding.factory import EmbeddingParameters, fingerprint

_EMBEDDING, _DATE_PARTS = "batch_nlp.steps.embedding.step.Embedding", "batch_nlp.steps.date_parts.DateParts"


@dataclass(frozen=True)
class FeatureDefinition:
    """Everything that determines the features of a message.

    Parameters
    ----------
    columns : dict of str to ColumnConfig
        Source columns that features are made of. How a message is found (ids, files) is not part of the definition.
    side_tables : list of SideTableConfig
        Tables joined by the key columns.
    group : str or None
        Column whose values a split keeps together.
    own : list of str
        Names of the steps that the dataset adds.
    allow : dict of str to int
        Versions of the user's own steps.
    """

    dataset: str
    columns: dict[str, ColumnConfig]
    side_tables: list[SideTableConfig]
    group: str | None
    steps: list[dict[str, Any]]
    own: list[str]
    allow: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Config) -> FeatureDefinition:
        """Return the definition in the settings; raise a `SettingsError` for a forbidden or misplaced step."""
        dataset = config.dataset
        for key, given in (("features.steps", config.features.steps), ("dataset.steps", dataset.steps)):
            check_steps(given, key, config.allow)
        steps = _placed(config.features.steps, dataset.steps)
        if not names_of(dataset.messages.columns, Role.time):
            steps = [step for step in steps if step[TARGET] != _DATE_PARTS]
        check_steps(steps, "features.steps", config.allow)
        return cls(
            dataset.name,
            {name: column for name, column in dataset.messages.columns.items() if column.role in FEATURE_ROLES},
            list(dataset.side_tables),
            dataset.split.column,
            steps,
            [step_name(step) for step in dataset.steps],
            {step[TARGET]: config.allow[step[TARGET]] for step in steps if step[TARGET] in config.allow},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the definition as JSON values; `from_dict` is the inverse."""
        return {
            "dataset": self.dataset,
            # a list, since the order of columns matters
            "columns": [[name, plain(column)] for name, column in self.columns.items()],
            "side_tables": [
                {**plain(table), "columns": [[name, plain(column)] for name, column in table.columns.items()]}
                for table in self.side_tables
            ],
            "group": self.group,
            "steps": [list(step.items()) for step in self.steps],
            "own": self.own,
            "allow": self.allow,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FeatureDefinition:
        """Return the definition in a model's manifest."""
        tables = [{**table, "columns": dict(map(tuple, table["columns"]))} for table in values["side_tables"]]
        return cls(
            values["dataset"],
            {name: parse(ColumnConfig, column) for name, column in values["columns"]},
            [parse(SideTableConfig, table) for table in tables],
            values["group"],
            [dict(map(tuple, step)) for step in values["steps"]],
            list(values["own"]),
            dict(values["allow"]),
        )

    @cached_property
    def version(self) -> str:
        """The feature version: 12 hexadecimal digits, unique per definition.

        It is a hash of the steps, their versions, and the columns. Settings that do not change the result (batch sizes,
        devices) do not count.
        """
        content = self.to_dict()
        del content["own"], content["allow"]
        versions = FEATURE_STEPS | self.allow
        content["steps"] = [
            [step[TARGET], versions[step[TARGET]], list(_counted(step).items())]
            for step in self.steps
            if versions[step[TARGET]]
        ]
        content["side_tables"] = [{**table, "files": None} for table in content["side_tables"]]
        # not sorted: the order of word groups and of masked patterns matters
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def _counted(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a step that determine its result."""
    given = {name: value for name, value in step.items() if name not in (TARGET, NAME, AFTER)}
    if step[TARGET] != _EMBEDDING:
        return given
    settings = parse(EmbeddingConfig, asdict(EmbeddingParameters()) | given, f"features.steps.{step_name(step)}")
    return {"vectors": fingerprint(settings)}


def _placed(common: list[Any], added: list[Any]) -> list[dict[str, Any]]:
    """Return all steps in order; a dataset's steps come after the step that they name, or before the embedding."""
    steps, own = [*map(dict, common)], [*map(dict, added)]
    for after in dict.fromkeys(step.get(AFTER) for step in own):
        names = [step_name(step) for step in steps]
        if after is not None and after not in names:
            raise SettingsError(f"dataset.steps: _after_={after}: no such step. {did_you_mean(after, names)}")
        before_embedding = (place for place, step in enumerate(steps) if step[TARGET] == _EMBEDDING)
        place = next(before_embedding, len(steps)) if after is None else names.index(after) + 1
        steps[place:place] = [step for step in own if step.get(AFTER) == after]
    return steps


def ignored_settings(asked: FeatureDefinition, used: FeatureDefinition) -> list[str]:
    """Return the feature settings without effect, since they differ from the champion's, which scores the messages.

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
    return [*columns, *tables, *_ignored_steps(asked, used)]


def _is_read(asked: FeatureDefinition, used: FeatureDefinition, name: str) -> bool:
    return name not in used.columns and asked.columns[name].role is Role.time


def _ignored_steps(asked: FeatureDefinition, used: FeatureDefinition) -> list[str]:
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
