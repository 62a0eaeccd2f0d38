from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batch_nlp.config import Config
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.ignored_settings import ignored_settings


@pytest.mark.parametrize(
    ("overrides", "ignored"),
    [
        ((), []),
        (("+dataset.messages.columns.reviewId={role: id}",), []),
        (("+dataset.messages.columns.when={role: time}",), []),
        (("dataset.side_tables=[]", "~dataset.messages.columns.user_id", "~dataset.messages.columns.business_id"),
         ["dataset.messages.columns.user_id", "dataset.messages.columns.business_id",
          "dataset.side_tables (user)", "dataset.side_tables (business)"]),
        (("+dataset.messages.columns.body={role: text}",), ["dataset.messages.columns.body"]),
        (("+dataset.messages.columns.date.zone=Europe/Rome",), ["dataset.messages.columns.date"]),
        (("features=none", "training.inputs=[tabular,ngrams]", "features.clean_text.max_chars=7"),
         ["step clean_text (max_chars)", "step embedding (backend)"]),
        (("dataset.steps=[]",), ["step business_features", "step user_features"]),
    ],
)  # fmt: skip
def test_what_differs_from_the_champion_and_has_no_effect_is_named(
    tmp_path: Path, make_config: Callable[..., Config], overrides: tuple[str, ...], ignored: list[str]
) -> None:
    used = FeatureDefinition.from_config(make_config(tmp_path))
    # as it comes out of a model's manifest
    used = FeatureDefinition.from_dict(used.to_dict())
    assert ignored_settings(FeatureDefinition.from_config(make_config(tmp_path, *overrides)), used) == ignored
