"""Progress in a process of its own: a line of the log at intervals, and a bar on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.naming import assert_names

WORK = """
import sys, time
from batch_nlp import progress
from batch_nlp.log import in_the_background, set_up_logging
set_up_logging("INFO", None)
progress._LINE_SECONDS = 0.2
def work():
    with progress.progress("training", "folds", 4) as outer:
        outer(1)
        with progress.progress("features") as inner:
            inner(1234)
            time.sleep(0.5)
if "background" in sys.argv:
    with in_the_background():
        work()
else:
    work()
time.sleep(0.3)
"""


def test_without_a_terminal_the_log_says_at_intervals_how_far_the_work_has_come(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True, cwd=tmp_path)
    lines = [line.rpartition("| ")[2] for line in done.stderr.splitlines()]
    assert len(lines) == 4, "two pieces of work, two intervals, and nothing after the end"
    assert_names(lines[0], "training", 1, "25%")
    assert_names(lines[1], "features", 1234)
    assert "%" not in lines[1], "nobody knows how many there are"


def test_work_in_the_background_says_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORK, "background"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr == ""


def test_a_terminal_shows_a_bar_with_the_time_left_for_work_within_work(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen([sys.executable, "-c", WORK], stderr=theirs, cwd=tmp_path, env=environment) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the end of a terminal
            while part := os.read(ours, 1 << 16):
                shown += part
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert "25%" in text
    assert "1 folds" in text
    assert "1,234 messages" in text
    assert "INFO" not in text, "no lines beside the bar"
    assert max(len(line) for line in re.split(r"[\r\n]+", text)) <= 80
