"""Runs of the command line as forks of one process that has imported the libraries; see `fork_server`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.projects import Project

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, or the negative number of the signal that ended it, and what it printed."""

    code: int
    out: str
    err: str


@dataclass
class Started:
    """A run that was started."""

    pid: int
    server: Forks
    out: Path
    err: Path
    ended: Ended | None = field(default=None, repr=False)

    def alive(self) -> bool:
        """Say whether it still works."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    def signal(self, number: signal.Signals = signal.SIGKILL) -> bool:
        """Send a signal to the run and what it has started, and say whether the run was still working."""
        alive = self.alive()
        if alive:
            os.killpg(self.pid, number)
        return alive

    def wait(self) -> Ended:
        """Wait for its end."""
        if self.ended is None:
            code = self.server.ask({"wait": self.pid})
            self.ended = Ended(code, self.out.read_text(errors="replace"), self.err.read_text(errors="replace"))
        return self.ended


class Forks:
    """The server that forks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._numbers = count()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_CORE")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fault.fork_server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)

    def ask(self, request: dict[str, Any]) -> int:
        """Send a request and return the answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(json.loads(self._process.stdout.readline()))

    def start(self, project: Project, *overrides: str, folder: Path | None = None, **faults: Any) -> Started:
        """Start a run and return at once.

        Parameters
        ----------
        project : Project
        *overrides : str
            Settings.
        folder : Path, optional
            Where it works; by default the project's folder.
        **faults
            What it meets, see `tests.fault.faults.prepare`.
        """
        number = next(self._numbers)
        out, err = self._folder / f"{number}.out", self._folder / f"{number}.err"
        for file in (out, err):
            file.touch()  # it may be killed before it opens them
        request = {
            "arguments": project.arguments(*overrides),
            "folder": str(folder or project.folder),
            "out": str(out),
            "err": str(err),
            "faults": faults,
        }
        return Started(self.ask(request), self, out, err)

    def run(self, project: Project, *overrides: str, **faults: Any) -> Ended:
        """Run to the end."""
        return self.start(project, *overrides, **faults).wait()

    def kill_after(
        self, delay: float, project: Project, *overrides: str, when: Callable[[], bool] = lambda: True, **faults: Any
    ) -> bool:
        """Start a run, kill it some time after a condition holds, and say whether it was still working."""
        run = self.start(project, *overrides, **faults)
        while run.alive() and not when():
            time.sleep(0.002)
        time.sleep(delay)
        working = run.signal()
        return run.wait().code == -signal.SIGKILL and working
