"""A dataset file changed so that features differ: the next candidate is still compared with the champion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from tests.naming import assert_line_names, assert_names, names
from tests.projects import LIGHT, Project
from tests.tickets import tickets

FILE = "name: tickets\nmessages: {{columns: {{q: {{role: text}}, at: {{role: time}}{more}}}}}\nlabel: {{column: w}}\n"
SETTINGS = (*LIGHT, "dataset=tickets", "features=none", "training.inputs=[tabular,ngrams]", "drift.response=alert")


def test_a_column_becomes_a_feature_and_all_held_out_messages_are_new(
    tmp_path: Path, new_project: Callable[[Path], Project]
) -> None:
    project, own = new_project(tmp_path / "project"), tmp_path / "project" / "my_conf"
    (own / "dataset").mkdir(parents=True)

    def call(pipeline: str, more: str) -> str:
        (own / "dataset" / "tickets.yaml").write_text(FILE.format(more=more))
        done = project.here("--config-dir", str(own), *SETTINGS, f"pipeline={pipeline}")
        # candidates may be refused: these differ by chance alone
        assert done.returncode in (0, 5), done.stderr
        return done.stderr

    def drop(year: int) -> None:
        path = project.data / "01_raw" / "tickets" / f"{year}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = tickets(
            200,
            at=lambda number, _: f"{year}-{1 + number // 28:02}-{1 + number % 28:02}",
            age=lambda number, bad: number % 7 + 3 * bad,
        )
        pd.DataFrame(rows).assign(q=lambda frame: frame["q"] + f" of {year}").to_csv(path, index=False)

    drop(2024)
    call("feature", "")
    assert_line_names(call("training", ""), "champion", "v0001")
    drop(2025)
    more = ", age: {role: number}"
    assert_names(call("feature", more), "feature version")
    said = call("training", more)
    assert len([line for line in said.splitlines() if names(line, "v0001") and names(line, 80)]) == 2
