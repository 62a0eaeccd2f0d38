"""The cost of a run after many others: ``python -m benchmarks.years --help``.

Batches go through the real command line one after the other. The process is the same, but forgets after each run what
it has checked, so that a run takes as long as in a new process, apart from importing libraries. After every hundred
batches, the time per run and the kept files are printed.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from batch_nlp import cli
from batch_nlp.storage import seal

# Bound on the time of a run of the last hundred, relative to one of the second hundred
MOST = 1.1
SETTINGS = (
    *("features=none", "model=logistic_regression", "training.inputs=[tabular]", "sample.messages=600"),
    *("training.decision.calibration=none", "training.decision.metric=null", "training.thresholds.f1_macro=0.0"),
    *("training.thresholds.f1_weighted=0.0", "training.thresholds.recall=0.0", "drift.response=none"),
    # a batch is written right before its run, which would wait for the file to settle
    "inference.min_age_seconds=0",
)
_WORDS = ("good", "bad", "slow", "fine", "cold", "warm", "food", "room", "staff", "price", "never", "always", "clean")


@dataclass(frozen=True)
class Hundred:
    """A hundred batches: median wall and CPU seconds per run, and what is kept at the end."""

    first: int
    seconds: float
    cpu_seconds: float
    files: int
    bytes: int
    records: int

    def __str__(self) -> str:
        return (
            f"batches {self.first + 1:>6,} on: {self.seconds:.3f} s/run, CPU {self.cpu_seconds:.3f} s; "
            f"kept: {self.records:,} batches, {self.files / self.records:.1f} files and "
            f"{self.bytes / self.records / 1024:.1f} KiB for each"
        )


def main(arguments: Sequence[str]) -> int:
    """Run batches, and return the exit code: 1 if runs became slower."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.years", description=__doc__)
    parser.add_argument("--batches", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=20, help="in each batch")
    parser.add_argument("--step", type=int, default=100, help="batches after which a line is printed")
    parser.add_argument("--work", type=Path, help="folder that keeps the data; a temporary one by default")
    parser.add_argument("settings", nargs="*", help="settings of every run, for example retention.batches=50")
    chosen = parser.parse_args(arguments)
    with nullcontext(chosen.work) if chosen.work else tempfile.TemporaryDirectory(prefix="years_") as folder:
        found = measure(Path(folder).resolve(), chosen.batches, chosen.messages, chosen.step, chosen.settings)
    # by CPU time, which leaves out other work on the machine
    if len(found) > 2 and found[-1].cpu_seconds > MOST * found[1].cpu_seconds:
        times = found[-1].cpu_seconds / found[1].cpu_seconds
        print(f"years: a run takes {times:.2f} times as long as one of the second hundred")
        return 1
    return 0


def measure(work: Path, batches: int, messages: int, step: int, settings: Sequence[str] = ()) -> list[Hundred]:
    """Run batches and return what each hundred (`step`) of them cost."""
    data, inbox = work / "data", work / "data" / "09_inference" / "inbox"
    places = (f"paths.data={data}", f"paths.models={work / 'models'}")
    inbox.mkdir(parents=True, exist_ok=True)
    if not (work / "models").exists():
        _run(work, "pipeline=fti", *places, *SETTINGS, *settings)
    found, taken, cpu = [], list[float](), list[float]()
    # with --work, batches of an earlier call stay
    first = len(list(inbox.iterdir()))
    for number in range(first, first + batches):
        (inbox / f"review_{number:06d}.json").write_text(_messages(number, messages))
        gc.collect()  # garbage of earlier runs must not be collected during this one
        start, start_cpu = time.perf_counter(), time.process_time()
        _run(work, "pipeline=inference", *places, *SETTINGS, *settings)
        taken.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
        if len(taken) == step:
            found.append(_hundred(data, number + 1 - step, statistics.median(taken), statistics.median(cpu)))
            print(f"years: {found[-1]}", flush=True)
            taken.clear()
            cpu.clear()
    return found


def _run(work: Path, *settings: str) -> None:
    """Run the command line, with its output in a file."""
    sys.argv = ["start_batch_nlp.py", *settings]
    log = work / "last_run.log"
    with log.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        code = cli.main()
        logger.remove()
    seal.forget()
    if code:
        raise SystemExit(f"years: a run ended with {code}: {log.read_text()[-2000:]}")


def _messages(number: int, count: int) -> str:
    draw = random.Random(number)  # noqa: S311 # nosec B311 # texts to measure with
    rows = [
        {"review_id": f"year-{number}-{position}", "user_id": "u", "business_id": "b", "date": "2026-01-02 03:04:05"}
        | {"text": " ".join(draw.choices(_WORDS, k=12))}
        for position in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def _hundred(data: Path, first: int, seconds: float, cpu_seconds: float) -> Hundred:
    files = [path for path in data.rglob("*") if path.is_file() and "inbox" not in path.parts]
    records = len(list((data / "09_inference" / "batches").glob("*.json")))
    return Hundred(first, seconds, cpu_seconds, len(files), sum(path.stat().st_size for path in files), records)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
