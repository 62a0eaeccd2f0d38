"""benchmarks/: what is measured is what was run, and a ratio that has become worse is refused by its name."""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import stages, workloads
from benchmarks.cases import PRODUCT, SECOND_RUN
from benchmarks.check import FLOORS, broken, ratios
from benchmarks.measure import Contender, Row, in_order, measure, median_row
from benchmarks.page import read_results, write_page, write_results
from benchmarks.plots import speed_svg
from benchmarks.tables import BEGIN, END, between_markers, cost, growth_table, stage_table
from benchmarks.task import Task, number_of_lines
from tests.conftest import World
from tests.naming import assert_names, refusal

ROW = Row("1,000", 1000, "inference", PRODUCT, "product", 1000, 2.0, 3.0, 300.0, 5.0, 1)
BASELINE = replace(ROW, contender="pandas", kind="baseline", seconds=8.0)
LIMIT = replace(ROW, contender="one pass", kind="limit", seconds=0.5, disk_mib=None)


def script(name: str, code: str, *arguments: str) -> Contender:
    return Contender(name, "baseline", (sys.executable, "-c", code, *arguments), 10)


def test_a_command_is_measured_as_a_whole_and_by_its_own_process() -> None:
    idle, big = measure([script("idle", "pass"), script("big", "b'1' * 80 * 2**20")], "10", "stage", 1)
    assert big.peak_rss_mib - idle.peak_rss_mib > 70
    assert (idle.done, idle.error) == (10, "")
    assert idle.seconds > 0


def test_a_function_that_tells_its_own_time_is_believed(tmp_path: Path) -> None:
    told = {"messages": 4, "spent": {"seconds": 2.0, "cpu_seconds": 1.0}, "note": "some", "facts": {"rate": 1}}
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_bytes(bytes(2**20)); print(sys.argv[2])"
    teller = script("teller", code, str(tmp_path / "file"), json.dumps(told))
    (row,) = measure([replace(teller, grows=tmp_path)], "10", "stage", 1)
    assert (row.done, row.seconds, row.cpu_seconds, row.per_second) == (4, 2.0, 1.0, 2.0)
    assert (row.note, row.facts, row.disk_mib) == ("some", {"rate": 1}, 1.0)


def test_one_that_fails_is_told_with_its_last_words_and_the_others_go_on(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    fails = script("fails", f"open({str(runs)!r}, 'a').write('x'); raise SystemExit('no such model')")
    killed = script("killed", "import os; os.kill(os.getpid(), 9)")
    rows = measure([fails, killed, script("works", "pass")], "10", "stage", 2)
    assert_names(rows[0].error, 1, "no such model")
    assert runs.read_text() == "x", "it is not tried again"
    assert_names(rows[1].error, 9)
    assert (rows[2].error, rows[2].rounds) == ("", 2)


def test_what_is_kept_of_one_folder_is_not_taken_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workloads, "_champion", lambda folder, _: folder)
    found = []
    for number, name in ((2, "few"), (5, "many"), (2, "few")):
        raw = tmp_path / name
        raw.mkdir(exist_ok=True)
        (raw / "yelp_academic_dataset_review.json").write_text("{}\n" * number)
        found.append(workloads.real(raw, tmp_path / "work"))
    few, many, again = found
    assert (few.messages, many.messages) == (2, 5)
    assert len((many.inbox / "yelp_academic_dataset_review.json").read_text().splitlines()) == 5
    assert again == few


def test_lines_of_compressed_files_are_those_of_their_text(tmp_path: Path) -> None:
    (tmp_path / "plain.json").write_text("{}\n" * 3)
    (tmp_path / "packed.json.gz").write_bytes(gzip.compress(b"{}\n" * 2000))
    assert number_of_lines([str(tmp_path / "plain.json"), str(tmp_path / "packed.json.gz")]) == 2003


def test_medians_are_taken_of_each_figure() -> None:
    rows = [replace(ROW, seconds=seconds, peak_rss_mib=peak) for seconds, peak in ((1.0, 9.0), (5.0, 7.0), (2.0, 8.0))]
    found = median_row(rows)
    assert (found.seconds, found.peak_rss_mib, found.rounds) == (2.0, 8.0, 3)
    failed = replace(ROW, error="broken")
    assert median_row([ROW, failed, ROW]) == failed


def test_rows_stand_in_the_order_of_sizes_and_stages_however_they_were_measured() -> None:
    names = [("real", 50, "validate"), ("1,000", 1000, "report"), ("1,000", 1000, "validate"), ("10", 10, "gone"),
             ("10", 10, "report")]  # fmt: skip
    rows = [replace(ROW, workload=name, messages=messages, stage=stage) for name, messages, stage in names]
    found = in_order([*rows, replace(rows[2], contender="pandas")], ["validate", "report"])
    assert [(row.workload, row.stage, row.contender) for row in found] == [
        ("10", "report", PRODUCT),
        ("10", "gone", PRODUCT),
        ("1,000", "validate", PRODUCT),
        ("1,000", "validate", "pandas"),
        ("1,000", "report", PRODUCT),
        ("real", "validate", PRODUCT),
    ]


def test_costs_are_compared_by_message() -> None:
    assert cost(ROW, BASELINE) == pytest.approx(1 / 4)
    # a hundredth of the messages in the same time
    assert cost(ROW, replace(BASELINE, done=10)) == pytest.approx(1 / 400)
    assert cost(ROW, replace(BASELINE, error="broken", seconds=0.0, done=0)) is None


def test_the_table_compares_with_the_product_and_names_what_failed_or_was_cut_short() -> None:
    cut = replace(BASELINE, contender="encoder", done=10, note="slow")
    failed = replace(BASELINE, contender="torch", error="not installed;\n`uv pip install torch` brings it")
    lines = stage_table([ROW, BASELINE, LIMIT, cut, failed]).splitlines()[2:]
    assert lines[0] == f"| inference | **{PRODUCT}** | 1 | 500 | 2 | 3 | 300 | 5 |  |"
    cells = [line.split("|") for line in lines]
    assert_names(cells[1][-2], "4 x")
    assert lines[2].startswith("| inference | *limit: one pass* | 1 | 2,000 | 0.5 | 3 |  |  | ")
    assert_names(cells[2][-2], "4 x")
    assert_names(cells[3][2], "encoder", "slow", 10)
    assert_names(cells[3][-2], "400 x")
    assert_names(lines[4], "torch", "not installed; `uv pip install torch` brings it")


def test_growth_is_told_between_sizes_only() -> None:
    larger = replace(ROW, workload="3,000", messages=3000, done=3000, seconds=6.6, peak_rss_mib=330.0)
    assert growth_table([ROW, BASELINE]) == ""
    lines = growth_table([larger, ROW]).splitlines()
    assert lines[-1] == "| inference | 3,000 | 6.6 | 3.30 | 3.00 | 330 | 1.10 |  |"
    features = [replace(row, stage="feature pipeline") for row in (ROW, larger)]
    second = replace(features[1], contender=SECOND_RUN, seconds=0.33)
    assert growth_table([*features, second]).splitlines()[-1].endswith("| 5.0% |")


def test_the_page_keeps_what_people_wrote(tmp_path: Path) -> None:
    machine = {"cpu": "C", "cores": 2, "memory_gib": 8.0, "system": "S", "python": "3", "packages": {}, "commit": "c"}
    (tmp_path / "performance.md").write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nFindings.\n")
    write_results(tmp_path, machine, [ROW, LIMIT])
    write_page(tmp_path)
    page = (tmp_path / "performance.md").read_text()
    assert read_results(tmp_path) == (machine, [ROW, LIMIT])
    assert page.startswith("# Title")
    assert page.endswith(f"{END}\n\nFindings.\n")
    assert "old" not in page
    assert_names(page, "C, 2 cores")
    figure = (tmp_path / "images" / "performance-speed.svg").read_text()
    assert figure == speed_svg([ROW, LIMIT]), "the same results give the same bytes"


@pytest.mark.parametrize("page", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN} {END} {END}"])
def test_a_page_without_its_markers_is_left_alone(page: str) -> None:
    with refusal(ValueError, BEGIN):
        between_markers(page, "new")


def test_ratios_leave_out_what_a_run_takes_whatever_its_messages() -> None:
    def took(cpu_seconds: float, done: int, rss: float = 300.0, **stages: float) -> Row:
        facts = {"cpu_seconds": {name.replace("_", " "): seconds for name, seconds in stages.items()}}
        return replace(ROW, cpu_seconds=cpu_seconds, done=done, peak_rss_mib=rss, facts=facts)

    rows = {
        "stages": took(7.0, 1000, extract_and_join=1.0, features=2.0, prediction=4.0, embedding=0.5),
        "pandas": took(5.0, 1000, extract_and_join=0.5, features=1.0, prediction=2.0),
        "model2vec": took(1.0, 1000),
        # 5 s of start, then 10 ms for each message
        "inference": took(15.0, 1000, 330.0),
        "inference of few": took(6.0, 100),
        "drift analysis": took(3.0, 1000),
        # 3 s of start, then 3 ms for each
        "feature pipeline": took(6.0, 1000),
        "feature pipeline of few": took(3.03, 10),
        "second run": took(3.03, 10),
        "nothing new": took(1.515, 10),
    }
    found = list(ratios(rows).values())
    assert found == pytest.approx([0.5, 0.5, 0.5, 2.0, 0.5, 0.5, 1.0, 0.5, 0.2, 1.1])


def test_a_ratio_that_has_become_worse_is_refused_by_its_name() -> None:
    floors = json.loads(FLOORS.read_text())
    sound = {name: bounds.get("at_least", bounds.get("at_most")) for name, bounds in floors.items()}
    assert broken(sound, floors) == []
    for name, bounds in floors.items():
        worse = 0.9 * bounds["at_least"] if "at_least" in bounds else 1.1 * bounds["at_most"]
        (told,) = broken({**sound, name: worse}, floors)
        assert_names(told, name)
        (told,) = broken({other: value for other, value in sound.items() if other != name}, floors)
        assert_names(told, name)
    (told,) = broken({**sound, "new": 1.0}, floors)
    assert_names(told, "new", "floors.json")


def test_the_stages_run_the_steps_of_the_pipelines_and_only_theirs_are_clocked(
    world: World, sample_raw: Path, tmp_path: Path
) -> None:
    paths = {"paths.data": world.config.paths.data, "paths.models": world.config.paths.models}
    others = {"inference.inbox": sample_raw, "dataset.raw_dir": sample_raw, "engine.temp_directory": tmp_path / "spill"}
    settings = [f"{key}={value}" for key, value in {**paths, **others, "engine.threads": 1}.items()]
    task = Task(settings, [], [], None, None, str(tmp_path), at_most=100)
    for stage in (stages.extract, stages.validate, stages.features, stages.embedding, stages.predict):
        done = stage(task)
        assert done.messages >= 100
        assert done.spent.seconds > 0, stage
