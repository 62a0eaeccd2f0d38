"""Columns of the source beside the predictions, and predictions as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import Config, MessagesConfig
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.inference.csv_copy import write_csv_beside
from batch_nlp.inference.kept_columns import check_kept_in_files, check_kept_names
from batch_nlp.runner.settings_check import check_settings
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.seal import problems


@pytest.mark.parametrize(
    "keep", [["message_id"], ["Predicted_Label"], ["probability_good"], ["source_line"], ["shop", "Shop"]]
)
def test_columns_that_predictions_cannot_carry_are_refused_before_work(
    keep: list[str], make_config: Callable[..., Config], tmp_path: Path
) -> None:
    config = make_config(tmp_path, f"inference.output.keep={json.dumps(keep)}")
    with refusal(SettingsError, "inference.output.keep", keep[0]):
        check_settings(config)
    check_kept_names(["shop", "stars"])


def test_a_column_that_one_file_has_is_kept_and_one_that_none_has_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"text": "a"}\n')
    (tmp_path / "b.csv").write_text("text,author\nb,Ann\n")
    (tmp_path / "empty.json").touch()
    files = sorted(tmp_path.iterdir())
    check_kept_in_files(["author", "text"], files, default(MessagesConfig, files="*"))
    check_kept_in_files(["author"], [tmp_path / "empty.json"], default(MessagesConfig, files="*"))
    with refusal(DataError, "auther", "'author'"):
        check_kept_in_files(["text", "auther"], files, default(MessagesConfig, files="*"))


def test_csv_holds_the_values_of_the_record(tmp_path: Path) -> None:
    record = tmp_path / "predictions.parquet"
    values = ["=1+1", 'say "no", or\nnot', "ä\r", None]
    time = pa.array([0, 1, 2, 3], pa.timestamp("us", "UTC"))
    write_parquet(record, pa.table({"message_id": values, "p": [0.1, 1 / 3, 1.0, 1e-17], "predicted_at": time}))
    target = write_csv_beside(record, rows=3)
    lines = target.read_bytes()
    assert lines.startswith(b"message_id,p,predicted_at\r\n=1+1,0.1,1970-01-01T00:00:00+00:00\r\n")
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["message_id"] or None for row in rows] == values
    assert [float(row["p"]) for row in rows] == pq.read_table(record)["p"].to_pylist()
    target.write_bytes(lines.replace(b"0.1", b"0.9"))
    assert [problem.path for problem in problems(tmp_path)] == [target]
