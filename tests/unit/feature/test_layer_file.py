"""Files of a layer: there whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.feature.layer_file import LayerFile

MESSAGES = pa.table({"message_id": ["a", "b"], "text": ["late again", "thank you"]})


def test_rows_wait_under_another_name_until_the_file_is_published(tmp_path: Path) -> None:
    path = tmp_path / "messages" / "run-0001.parquet"
    file = LayerFile(path, MESSAGES.schema)
    for start in range(2):
        file.add(MESSAGES.slice(start, 1))
        assert not path.exists()
    assert file.publish() == path
    assert pq.read_table(path).equals(MESSAGES)
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_left_of_what_is_discarded(tmp_path: Path) -> None:
    file = LayerFile(tmp_path / "messages" / "run-0001.parquet", MESSAGES.schema)
    file.add(MESSAGES)
    file.discard()
    assert not list((tmp_path / "messages").iterdir())
