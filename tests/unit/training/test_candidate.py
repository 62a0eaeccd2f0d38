from __future__ import annotations

from pathlib import Path

from batch_nlp.storage.run_clock import claimed_time, run_name
from batch_nlp.training.candidate import keep_newest


def test_only_the_newest_candidates_are_kept_and_those_of_runs_in_progress(tmp_path: Path) -> None:
    with claimed_time(tmp_path) as now:
        slow = run_name(now)
        names = [slow, *(f"30{number}" for number in range(5))]
        for name in ("20", *names):
            (tmp_path / name).mkdir()
            (tmp_path / name / "model.skops").touch()
        keep_newest(tmp_path, 2)
        assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {slow, "303", "304"}
    keep_newest(tmp_path, 2)
    assert {path.name for path in tmp_path.iterdir()} == {"303", "304"}
