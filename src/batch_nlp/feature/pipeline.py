"""The feature pipeline: which steps, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sklearn.pipeline import Pipeline

from batch_nlp.config import EngineConfig
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.steps.embedding.step import Embedding
from batch_nlp.dataset.side_tables import SideTables
from batch_nlp.steps.clean_text import CleanText
from batch_nlp.steps.create_features import CreateFeatures
from batch_nlp.steps.extract import Extract
from batch_nlp.steps.remove_duplicates import RemoveDuplicates
from batch_nlp.steps.validate import Validate
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.ledger import Ledger


@dataclass(frozen=True)
class Surroundings:
    """What the steps of one run look things up in, and report to."""

    side_tables: SideTables
    known: KnownMessages
    ledger: Ledger
    embedding_cache: Path
    engine: EngineConfig


def build_feature_pipeline(definition: FeatureDefinition, targets: Sequence[str], run: Surroundings) -> Pipeline:
    """Return the feature pipeline.

    Parameters
    ----------
    definition : FeatureDefinition
        Which features.
    targets : sequence of str
        Values that the target may have.
    run : Surroundings
        What belongs to this run.
    """
    features, embedding = definition.features, definition.features.embedding
    return Pipeline(
        [
            ("extract", Extract(definition.columns, run.side_tables, run.ledger)),
            # before the duplicates: a copy that breaks its contract must not make the sound one a duplicate of it
            ("validate", Validate(targets, definition.filters, run.ledger)),
            ("remove_duplicates", RemoveDuplicates(run.known, run.ledger)),
            ("clean_text", CleanText(features.clean_text.max_chars)),
            ("create_features", CreateFeatures(features.category_groups)),
            (
                "embedding",
                Embedding(
                    backend=embedding.backend.value,
                    model=embedding.model,
                    dims=embedding.dims,
                    max_tokens=embedding.max_tokens,
                    batch_size=embedding.batch_size,
                    device=embedding.device,
                    cache_dir=str(run.embedding_cache),
                    threads=run.engine.threads,
                    cache_mb=embedding.cache_mb,
                ),
            ),
        ]
    )
