from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from batch_nlp.storage.scratch import GrowingArray, arrays_on_disk, new_array, on_disk, spool


def test_arrays_live_on_disk_within_the_block_alone(tmp_path: Path) -> None:
    assert not on_disk()
    with arrays_on_disk(tmp_path / "new"):
        assert on_disk()
        with arrays_on_disk(None):
            assert not on_disk()
        assert on_disk()
        array = new_array((3, 4), np.float32)
    assert not on_disk()
    array[:] = 7  # and stay where they are
    assert array.sum() == 84
    assert array.dtype == np.float32
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("disk", [False, True])
def test_an_array_grows_piece_by_piece(tmp_path: Path, disk: bool) -> None:
    with arrays_on_disk(tmp_path if disk else None):
        array, empty = GrowingArray(np.int32), GrowingArray(np.float64)
        for piece in ([1, 2], [], [3]):
            array.append(np.array(piece, dtype=np.int64))
        assert array.finish().tolist() == [1, 2, 3]
        assert empty.finish().tolist() == []
        assert new_array((0, 5), np.float64).shape == (0, 5)


def test_record_batches_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    table = pa.table(
        {"text": ["a", None, "naïve 😀"], "vector": pa.array([[1.5], [], [2.0, 3.0]], pa.list_(pa.float32()))}
    )
    with arrays_on_disk(tmp_path):
        for rows in (table, table.slice(1, 2), table.slice(3)):
            found = spool(rows.to_batches(max_chunksize=2), rows.schema)
            assert found.to_pydict() == rows.to_pydict()
            assert found.schema.field("text").type == pa.large_string()


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with arrays_on_disk(tmp_path), pytest.raises(OSError, match=r"large|space"):
        new_array((1 << 60,), np.uint8)


def test_nothing_is_left_of_a_run_that_is_killed(tmp_path: Path) -> None:
    code = """if True:
        import os, signal, sys
        from pathlib import Path
        import numpy as np
        from batch_nlp.storage.scratch import GrowingArray, arrays_on_disk, new_array
        with arrays_on_disk(Path(sys.argv[1])):
            array, growing = new_array((1000, 1000), np.float64), GrowingArray(np.float64)
            array[:] = 1
            growing.append(array[0])
            os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
