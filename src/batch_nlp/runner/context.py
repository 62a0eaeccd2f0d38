"""The context of a run: the settings, and the stores and folders that they name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from batch_nlp.config import Config
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.fields import Fields
from batch_nlp.inference.batch_records import BatchRecords
from batch_nlp.monitoring.decisions import DecisionLog
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.registry import Registry
from batch_nlp.storage.run_clock import run_name


@dataclass(frozen=True)
class RunContext:
    """The context of a run: the settings, the stores and folders that they name, and the time when it began, UTC."""

    config: Config
    layers: Layers
    store: FeatureStore
    registry: Registry
    batches: BatchRecords
    decisions: DecisionLog
    definition: FeatureDefinition
    now: datetime
    # Names of unusable files that the stages left out
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, config: Config, now: datetime) -> RunContext:
        """Return the context of a run with these settings."""
        layers = Layers(Path(config.paths.data), config.dataset.name)
        return cls(
            config,
            layers,
            FeatureStore(layers.feature_store, config.engine),
            Registry(Path(config.paths.models)),
            BatchRecords(layers.batches),
            DecisionLog(layers.decisions),
            FeatureDefinition.from_config(config),
            now,
        )

    @property
    def name(self) -> str:
        """Name of the run: its time to the microsecond."""
        return run_name(self.now)

    @property
    def fields(self) -> Fields:
        """Fields that the steps of the definition compute for each message."""
        from batch_nlp.feature.pipeline import feature_fields

        return feature_fields(self.definition)

    @property
    def inbox(self) -> Path:
        """Folder in which new messages arrive."""
        return Path(self.config.inference.inbox)

    def data_state(self) -> list[Any]:
        """Return the state of the training data as JSON values: feature version, labels version, labelled messages."""
        version = self.definition.version
        return [version, self.store.labels_version(), self.store.count_labelled(version)]

    def hold_out_metrics(self) -> dict[str, Any] | None:
        """Return the hold-out metrics of the model that this run trained; None if it trained nothing."""
        report = self.layers.reporting / "training" / f"{self.name}.json"
        return dict(json.loads(report.read_bytes())["metrics"]) if report.exists() else None

    @property
    def candidate_card(self) -> Path:
        """Path of the card of the model that this run trains."""
        from batch_nlp.training.card.card_pages import CARD_PAGE

        return self.layers.candidates / self.name / CARD_PAGE

    def decide(self, kind: str, **facts: Any) -> None:
        """Append a decision of this run to the decision log."""
        about = {"at": self.now.isoformat(), "decision": kind, "run": self.name, "dataset": self.config.dataset.name}
        self.decisions.append({**about, **facts})

    def own_decisions(self) -> list[dict[str, Any]]:
        """Return the decisions about this dataset, oldest first."""
        return [found for found in self.decisions.read() if found.get("dataset") == self.config.dataset.name]
