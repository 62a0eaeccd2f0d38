from __future__ import annotations

from pathlib import Path

import pytest

from batch_nlp.inference.batch_problems import problems
from batch_nlp.inference.batch_records import Batch, BatchRecords, BatchState
from batch_nlp.storage.layers import Layers

NAME = "20260101T000000Z-0123abcd"
SOUND = {"in": 10, "predicted": 5, "duplicates": 5, "quarantined": 0}


@pytest.mark.parametrize(
    ("accounts", "number"),
    [
        (SOUND, 0),
        ({**SOUND, "in": 12, "left_out": 2}, 0),
        ({**SOUND, "in": 11, "left_out": 2}, 1),
        ({**SOUND, "in": 11}, 1),
        ({**SOUND, "in": 9, "predicted": 4}, 1),
        ({**SOUND, "in": 9, "predicted": 5, "duplicates": -1}, 1),
        ({"in": 5, "predicted": 5}, 1),
        ({}, 1),
    ],
)
def test_the_accounts_of_a_batch_add_up(tmp_path: Path, accounts: dict[str, int], number: int) -> None:
    """Guarantee 5."""
    layers, records = Layers(tmp_path, "sample"), BatchRecords(tmp_path / "09_inference" / "batches")
    batch = Batch(NAME, "sample", "2026-01-01T00:00:00+00:00", {"a.json": "0"}, BatchState.DONE, accounts, [2, 3])
    records.write(batch)
    found = problems(layers, records, 10)
    assert [problem.path for problem in found] == [layers.batches / f"{NAME}.json"] * number
