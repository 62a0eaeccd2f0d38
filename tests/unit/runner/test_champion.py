from __future__ import annotations

from typing import Any

import pytest

from batch_nlp.runner.champion import champion_definition
from batch_nlp.storage.model_code import CannotRunError

EMBEDDING = "batch_nlp.steps.embedding.step.Embedding"


def manifest(**parameters: object) -> dict[str, Any]:
    definition = {
        "dataset": "tickets", "columns": [["text", {"role": "text"}]], "side_tables": [], "group": None,
        "steps": [[["_target_", EMBEDDING], *parameters.items()]], "own": [], "allow": {},
    }  # fmt: skip
    return {"feature_definition": definition, "data_version": {"feature_version": "0" * 12}}


@pytest.mark.parametrize("parameters", [{"backend": "minilm_int8"}, {"dims": "many"}])
def test_features_of_an_earlier_commit_make_a_champion_that_cannot_run(
    parameters: dict[str, object],
) -> None:
    (value,) = parameters.values()
    with pytest.raises(CannotRunError, match=rf"v0007.*{value}"):
        champion_definition("v0007", manifest(**parameters))


def test_another_feature_version_makes_a_champion_that_cannot_run() -> None:
    with pytest.raises(CannotRunError, match=r"0{12}"):
        champion_definition("v0007", manifest(backend="static"))
