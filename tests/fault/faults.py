"""Faults inside the process of a run: a kill at a given step, a limit on file sizes, a wrong clock."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Self

import pandas as pd

from batch_nlp.errors import DataError
from batch_nlp.steps.base import MeteredPipeline
from batch_nlp.storage import compaction, delta_table, history, registry
from batch_nlp.storage.model_folder import check_model


@contextmanager
def prepare(faults: dict[str, Any]) -> Iterator[None]:
    """Inject faults into a run.

    Parameters
    ----------
    faults : dict
        ``steps`` names a file that gets the names of the steps taken; ``kill_at`` is the number of the step at which
        the process sends itself ``signal`` (SIGKILL); ``largest_file`` is the size in bytes that no file may exceed;
        ``clock`` gives the seconds by which the clock is wrong when it is first read, and those from then on;
        ``user`` is the number of a user to become; ``quick_check`` lets a fork check a new model, where the product
        starts a new Python; ``commits`` is the number of commits after which a table is compacted; ``inside``
        is a process whose name space of mounts is to be entered.
    """
    if "inside" in faults:
        _enter(faults["inside"])
    if "largest_file" in faults:
        size = faults["largest_file"]
        # Python ignores SIGXFSZ, so that writing beyond ends with EFBIG, as it would with ENOSPC on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    if "clock" in faults:
        _set_clock(*faults["clock"])
    if "user" in faults:
        os.setgroups([])
        os.setgid(faults["user"])
        os.setuid(faults["user"])
    if faults.get("quick_check"):
        registry.check_in_fresh_process = _check_in_fork
    if "commits" in faults:
        compaction._COMMITS = history._MERGED = faults["commits"]
    steps = _Steps(faults.get("kill_at"), signal.Signals[faults.get("signal", "SIGKILL")])
    if "steps" in faults or "kill_at" in faults:
        steps.watch()
    yield
    if "steps" in faults:
        Path(faults["steps"]).write_text(json.dumps(steps.taken))


class _Steps:
    """Counts what a run does to the disk and the steps of its pipelines, and kills it at one of them."""

    def __init__(self, kill_at: int | None, how: signal.Signals) -> None:
        self.taken: list[str] = []
        self._kill_at, self._how = kill_at, how
        self._lock = Lock()

    def _take(self, name: str) -> None:
        with self._lock:  # the steps of one batch are taken while those of another are
            last = len(self.taken) == self._kill_at
            self.taken.append(name)
        if last:
            os.kill(os.getpid(), self._how)

    def _around(self, name: str, call: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if before:
                self._take(f"before {name}")
            result = call(*args, **kwargs)
            self._take(f"after {name}")
            return result

        return counted

    def watch(self) -> None:
        """Count from now on."""
        for module, name, before in (
            (os, "replace", True),
            (os, "unlink", False),
            (os, "rmdir", False),
            (shutil, "copyfile", False),
            *((module, "append_line", True) for module in _users_of("append_line")),
            (delta_table, "commit", True),
        ):
            setattr(module, name, self._around(name, getattr(module, name), before=before))
        transform, around = MeteredPipeline.transform, self._around

        def counted(pipeline: MeteredPipeline, X: pd.DataFrame) -> pd.DataFrame:
            for name, step in pipeline.steps:
                if "transform" not in vars(step):
                    step.transform = around(name, step.transform, before=False)
            return transform(pipeline, X)

        # replaced in a process that ends with this run
        MeteredPipeline.transform = counted  # type: ignore[method-assign, assignment]


def _enter(pid: int) -> None:
    """See the file system as another process does."""
    library, here = ctypes.CDLL(None, use_errno=True), Path.cwd()
    for kind in ("user", "mnt"):
        with Path(f"/proc/{pid}/ns/{kind}").open() as space:
            if library.setns(space.fileno(), 0):
                raise OSError(ctypes.get_errno(), f"setns: {kind}")
    os.chdir(here)


def _users_of(name: str) -> list[ModuleType]:
    """Return the modules of the product that have imported something of that name."""
    modules = [module for key, module in sys.modules.items() if key.startswith("batch_nlp.")]
    found = [module for module in modules if hasattr(module, name)]
    assert found, f"nothing in the product uses {name} any more"
    return found


def _check_in_fork(folder: Path) -> None:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            check_model(folder)
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(pid, 0)[1]:
        raise DataError(f"{folder}: the model does not work")


def _set_clock(first: float, then: float) -> None:
    """Shift the clock by `first` seconds at its first reading, and by `then` seconds afterwards."""
    wrong = [first]

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            by = wrong[0]
            wrong[0] = then
            found = datetime.now(tz) + timedelta(seconds=by)
            return cls.fromisoformat(found.isoformat())

    for module in _users_of("datetime"):
        if vars(module)["datetime"] is datetime:
            vars(module)["datetime"] = Wrong
