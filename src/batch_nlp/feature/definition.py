"""What defines the features of a message, and the version that follows from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from batch_nlp.config import ColumnConfig, Config, EmbeddingConfig, Role, SideTableConfig, parse, plain
from batch_nlp.config.builder import AFTER, NAME, TARGET, check_steps, plain_value, step_name
from batch_nlp.config.targets import FEATURE_STEPS
from batch_nlp.dataset.message_columns import FEATURE_ROLES, names_of
from batch_nlp.errors import SettingsError, did_you_mean
from batch_nlp.steps.embedding import fingerprint

_EMBEDDING, _DATE_PARTS = "batch_nlp.steps.embedding.step.Embedding", "batch_nlp.steps.date_parts.DateParts"


@dataclass(frozen=True)
class FeatureDefinition:
    """Everything that decides which features a message gets.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    columns : dict of str to ColumnConfig
        The source's columns that features are made of. How a message is found (ids, times, files) is no part of it.
    side_tables : list of SideTableConfig
        What the keys among them join.
    group : str or None
        Column whose values a split keeps together.
    steps : list of dict
        The steps of the feature pipeline, in their order.
    own : list of str
        Those of them that the dataset adds.
    allow : dict of str to int
        Versions of steps from elsewhere.
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
        """Return the definition that the settings ask for.

        Raises
        ------
        SettingsError
            If a step is not allowed, or belongs after one that is not there.
        """
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
            # the order of columns counts, and is not an object's in JSON
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
        """Return the definition that a model was trained with, from its manifest."""
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
        """The feature version: 12 hexadecimal digits, another one for any other definition.

        It is the hash of the steps with their own versions and of the columns. Settings that do not change what is
        computed (batch sizes, devices) do not count.
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
        # not sorted: of groups of words, and of patterns to mask, the order counts
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def _counted(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a step that decide what it computes."""
    given = {name: value for name, value in step.items() if name not in (TARGET, NAME, AFTER)}
    return {"vectors": fingerprint(parse(EmbeddingConfig, given))} if step[TARGET] == _EMBEDDING else given


def _placed(common: list[Any], added: list[Any]) -> list[dict[str, Any]]:
    """Return all steps in their order: those that a dataset adds after the step they name, or before the embedding."""
    steps: list[dict[str, Any]] = [plain_value(step) for step in common]
    own: list[dict[str, Any]] = [plain_value(step) for step in added]
    for after in dict.fromkeys(step.get(AFTER) for step in own):
        names = [step_name(step) for step in steps]
        if after is not None and after not in names:
            raise SettingsError(f"dataset.steps: _after_={after}: there is no such step. {did_you_mean(after, names)}")
        before_embedding = (place for place, step in enumerate(steps) if step[TARGET] == _EMBEDDING)
        place = next(before_embedding, len(steps)) if after is None else names.index(after) + 1
        steps[place:place] = [step for step in own if step.get(AFTER) == after]
    return steps
