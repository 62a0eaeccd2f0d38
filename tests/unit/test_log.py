from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from batch_nlp.log import table_lines

CODE = """
import sys
from pathlib import Path
from loguru import logger
from batch_nlp.log import set_up_logging
from batch_nlp.progress import progress
set_up_logging(sys.argv[1], Path(sys.argv[2]))
logger.debug("a detail")
logger.info("rows in {:,}", 1234)
def work(text):
    return {}[text[:3]]
try:
    with progress("features") as advance:
        advance(3)
        work(sys.argv[3])
except KeyError:
    logger.exception("A bug.")
"""


def test_a_bug_is_told_with_its_traceback_and_never_with_the_text_of_a_message(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    command = [sys.executable, "-c", CODE, "INFO", str(file), "the secret text of a message"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    for told in (done.stderr, file.read_text()):
        assert "rows in 1,234" in told
        assert "KeyError" in told
        assert "secret text" not in told
    assert "a detail" not in done.stderr
    assert "a detail" in file.read_text()
    assert "features" not in done.stderr  # no progress display where nobody watches


BACKGROUND = """
import sys
from pathlib import Path
from loguru import logger
from batch_nlp.log import console, in_the_background, set_up_logging
set_up_logging("DEBUG", Path(sys.argv[1]))
with in_the_background():
    console.print("a table")
    logger.info("a step")
    logger.warning("a warning")
    logger.error("an error")
console.print("the result")
logger.debug("the end")
"""


def test_what_runs_in_the_background_leaves_the_terminal_its_errors_and_the_file_its_warnings(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    done = subprocess.run([sys.executable, "-c", BACKGROUND, str(file)], capture_output=True, text=True, check=True)
    lines = [line.rpartition("| ")[2] for line in done.stderr.splitlines()]
    assert lines == ["an error", "the result", "the end"]
    assert [line.rpartition("| ")[2] for line in file.read_text().splitlines()] == ["a warning", "an error", "the end"]


PLACES = """
import os, sys
from pathlib import Path
from loguru import logger
from batch_nlp.log import set_up_logging, wrapped
set_up_logging("INFO", Path(sys.argv[1]))
logger.info("wrote {0}/data/x.json; try paths.data={0}/my, '{0}/a b', {0}, {0}er/x, file://{0}/y", os.getcwd())
print(*wrapped(f"{os.getcwd()}/data/x.json", 80))
"""


def test_paths_below_the_current_folder_are_shown_relative_to_it(tmp_path: Path) -> None:
    folder, log = tmp_path / "project", tmp_path / "run.log"
    folder.mkdir()
    command = [sys.executable, "-c", PLACES, str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    shown = f"wrote data/x.json; try paths.data=my, 'a b', {folder}, {folder}er/x, file://{folder}/y\n"
    assert done.stderr.endswith(shown)
    assert done.stdout == "data/x.json\n"
    assert f"wrote {folder}/data/x.json" in log.read_text(), "who reads the file may be anywhere"
    # a scheduler runs jobs in the home folder
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=folder, env={**os.environ, "HOME": str(folder)}
    )
    assert f"wrote {folder}/data/x.json" in done.stderr


def test_a_table_fits_80_columns() -> None:
    rows = [("messages", "reason", "first seen in"), ("2", "text is missing", "a.json:1")]
    assert table_lines(rows) == ["messages  reason           first seen in", "       2  text is missing  a.json:1"]
    long = table_lines([*rows, ("12", "r" * 40, f"{'f' * 60}.json:7")])
    assert max(map(len, long)) <= 78
    assert long[-2:] == [f"      12  {'r' * 40}", f"          {'f' * 60}.json:7"]
