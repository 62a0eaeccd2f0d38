"""A folder of raw files and the feature pipeline on it, and messages to put there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from batch_nlp.config import Config
from batch_nlp.feature.run import FeatureResult, run_feature_pipeline
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class RawSource:
    """Raw files of a dataset, and its feature store."""

    config: Config
    runs: int = 0

    @property
    def raw(self) -> Path:
        return Path(self.config.dataset.raw_dir)

    @property
    def layers(self) -> Layers:
        return Layers(Path(self.config.paths.data), self.config.dataset.name)

    @property
    def store(self) -> FeatureStore:
        return FeatureStore(self.layers.feature_store, self.config.engine)

    def drop(self, name: str, *rows: dict[str, Any] | str) -> None:
        """Write a file of rows as JSON lines; a text is written as it is."""
        self.raw.mkdir(parents=True, exist_ok=True)
        (self.raw / name).write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))

    def take_in(self, config: Config | None = None) -> FeatureResult:
        """Run the feature pipeline, an hour after the run before."""
        self.runs += 1
        now = START + timedelta(hours=self.runs)
        return run_feature_pipeline(config or self.config, self.layers, self.store, f"run-{self.runs}", now)


def review(name: str, stars: Any = 5, **more: Any) -> dict[str, Any]:
    """Return a message as the sample has it."""
    sound = {"review_id": name, "text": f"text of {name}", "date": "2020-01-01 00:00:00", "user_id": "u"}
    return {**sound, "business_id": "b", "stars": stars, **more}
