from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from batch_nlp.storage.atomic import sweep
from batch_nlp.storage.run_clock import claimed_time, is_claimed, run_name


def test_no_two_runs_in_progress_have_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Stopped:
            return cls(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=tz)

    monkeypatch.setattr("batch_nlp.storage.run_clock.datetime", Stopped)
    with claimed_time(tmp_path) as first, claimed_time(tmp_path) as second:
        names = [run_name(first), run_name(second)]
        assert names == ["20260102T030405999999Z", "20260102T030406000000Z"]
        assert all(is_claimed(tmp_path, name) for name in names)
    assert not any(is_claimed(tmp_path, name) for name in names)


def test_the_claim_of_a_killed_run_is_swept_away(tmp_path: Path) -> None:
    with claimed_time(tmp_path) as now:
        assert len(sweep(tmp_path)) == 1
        assert not is_claimed(tmp_path, run_name(now))
