from __future__ import annotations

import gzip
import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from batch_nlp.storage.raw import row_estimate
from batch_nlp.storage.raw.row_estimate import estimated_rows


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_rows_are_estimated_from_the_start_of_large_files(
    packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_estimate, "_SAMPLED_BYTES", 1 << 18)
    draw = random.Random(3)
    for number in range(5):
        lines = (f'{{"id": {row}, "text": "{draw.getrandbits(400)}"}}\n' for row in range(5_000))
        content = "".join(lines).encode()
        file = tmp_path / f"{number}.json{packing}"
        if packing == ".zst":
            with pa.output_stream(file, compression="zstd") as out:
                out.write(content)
        else:
            file.write_bytes(gzip.compress(content) if packing else content)
    assert estimated_rows(tmp_path.iterdir()) == pytest.approx(25_000, rel=0.1 if not packing else 0.5)


def test_the_rows_of_parquet_are_known(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["a"] * 1234}).to_parquet(tmp_path / "a.parquet")
    assert estimated_rows([tmp_path / "a.parquet"]) == 1234


@pytest.mark.parametrize("content", [b"", b'[\n{"text": "a"},\n{"text": "b"}]\n', b"\x1f\x8b broken"])
def test_without_an_estimate_the_work_goes_on(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / ("a.json.gz" if content[:1] == b"\x1f" else "a.json")
    file.write_bytes(content)
    assert estimated_rows([file]) is None
    assert estimated_rows([tmp_path / "gone.json"]) is None
    assert estimated_rows([]) is None
