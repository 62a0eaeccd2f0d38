"""The command line of the benchmarks: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from benchmarks.cases import cases
from benchmarks.check import check
from benchmarks.machine import describe
from benchmarks.measure import ROOT, BenchmarkError, Row, in_order, measure
from benchmarks.page import PAGE, RESULTS, read_results, write_page, write_results
from benchmarks.workloads import Workload, generated, generated_champion, real

SIZES = "10000,100000,1000000"
# from here on a round takes minutes
LARGE = 500_000


def main(arguments: Sequence[str]) -> int:
    """Measure, write the page, and return the exit code: 1 if a stage failed or a ratio is out of bounds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="numbers of generated messages; empty for none")
    parser.add_argument("--raw-dir", type=Path, help="folder of real messages in the format of the Yelp Open Dataset")
    parser.add_argument("--only", default="", help="stages, for example extract-and-join,inference; all by default")
    parser.add_argument("--rounds", type=int, default=3, help=f"runs of each; one from {LARGE:,} messages on")
    parser.add_argument(
        "--work", type=Path, help="folder that keeps workloads between runs; a temporary one by default"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help=f"folder of {PAGE}, {RESULTS} and the plots")
    parser.add_argument("--add", action="store_true", help="keep results of other sizes and stages that are in --out")
    parser.add_argument("--check", action="store_true", help="compare ratios of a small run with floors.json, no more")
    chosen = parser.parse_args(arguments)
    with nullcontext(chosen.work) if chosen.work else tempfile.TemporaryDirectory(prefix="benchmarks_") as folder:
        work = Path(folder).resolve()
        work.mkdir(parents=True, exist_ok=True)
        wrong = _check(work) if chosen.check else _measure(chosen, work)
    for line in wrong:
        print(f"benchmarks: {line}")
    return 1 if wrong else 0


def _check(work: Path) -> list[str]:
    start = time.monotonic()
    found = check(work, lambda line: print(f"benchmarks: {line}", flush=True))
    print(f"benchmarks: checked in {time.monotonic() - start:.0f} s")
    return found


def _measure(chosen: argparse.Namespace, work: Path) -> list[str]:
    """Measure all workloads; report failures, and go on with the others."""
    only = {name for name in chosen.only.split(",") if name}
    machine = describe(ROOT)
    rows = read_results(chosen.out)[1] if chosen.add else []
    wrong: list[str] = []
    for name in [*filter(None, chosen.sizes.split(",")), *(["real"] if chosen.raw_dir else [])]:
        print(f"benchmarks: {name}: making the messages and the model", flush=True)
        try:
            workload = _workload(name, chosen, work)
        except BenchmarkError as error:
            wrong.append(f"{name}: {error}")
            continue
        stages = cases(workload)
        for case in stages:
            if only and case.key not in only:
                continue
            print(f"benchmarks: {workload.name}: {case.stage}", flush=True)
            rounds = 1 if workload.messages >= LARGE else chosen.rounds
            found = measure(case.contenders, workload.name, case.stage, rounds)
            rows = [row for row in rows if (row.workload, row.stage) != (workload.name, case.stage)] + found
            for row in found:
                print(f"benchmarks: {_told(row)}", flush=True)
            # a missing extra is no failure
            wrong += [_told(row) for row in found if row.error and "not installed" not in row.error]
            # after every stage, so that a kill does not lose an hour of work
            write_results(chosen.out, machine, in_order(rows, [one.stage for one in stages]))
    write_page(chosen.out)
    return wrong


def _workload(name: str, chosen: argparse.Namespace, work: Path) -> Workload:
    if name == "real":
        return real(chosen.raw_dir.resolve(), work)
    return generated(int(name), work, generated_champion(work))


def _told(row: Row) -> str:
    what = f"{row.workload}, {row.stage}, {row.contender}"
    if row.error:
        return f"{what}: FAILED: {row.error}"
    return f"{what}: {row.per_second:,.0f} messages/s, {row.seconds:.2f} s, {row.peak_rss_mib:,.0f} MiB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
