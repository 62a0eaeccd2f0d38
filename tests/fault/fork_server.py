"""Starts runs of the command line as forks of a process that has imported its libraries once.

A new Python takes seconds to import them, a fork none, and it is a process of its own, which is really killed.
``python -m tests.fault.fork_server`` reads requests from standard input, a line of JSON each, and answers with one:
``{"arguments": [...], "folder": ..., "faults": {...}}`` starts a run and answers its process id; ``{"wait": ID}`` waits
for its end and answers how it ended. Only libraries are imported before a fork: nothing has started a pool of threads.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any


def serve() -> None:
    """Answer requests until standard input ends."""
    # whose threads, once started, a fork would lack
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")
    _import_libraries()
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        if "wait" in request:
            status = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
            print(json.dumps(status), flush=True)
        else:
            pid = os.fork()
            if pid == 0:
                _work(request)
            with suppress(OSError):  # here too: it may be killed before it comes to it
                os.setpgid(pid, pid)
            print(json.dumps(pid), flush=True)


def _import_libraries() -> None:
    # imported for the forks to have, not to be used here
    import rich.progress  # noqa: F401
    import scipy.stats  # noqa: F401
    import skops.io  # noqa: F401
    import xgboost  # noqa: F401
    from tests.fault import faults  # noqa: F401

    import batch_nlp.cli  # noqa: F401

    # A run imports them when it needs them: too late for a fault that is put into all modules that use something
    for module in (
        *("feature.pipeline", "feature.run", "inference.run", "monitoring.analyse", "training.classifier"),
        *("training.run", "runner.explain", "runner.infer", "runner.learning_curve", "runner.requeue"),
        *(
            "runner.response",
            "runner.retraining",
            "runner.sample",
            "runner.simulate",
            "runner.status",
            "runner.train",
            "runner.verify",
        ),
    ):
        import_module(f"batch_nlp.{module}")


def _work(request: dict[str, Any]) -> None:
    """Be the run that was asked for, in a process group of its own; never return."""
    code = 1
    try:
        os.setpgid(0, 0)
        folder = Path(request["folder"])
        os.chdir(folder)
        os.environ["COLUMNS"] = "160"
        for stream, name in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
            file = os.open(name, os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, stream)
            os.close(file)
        sys.argv = ["start_batch_nlp.py", *request["arguments"]]
        from loguru import logger
        from tests.fault.faults import prepare

        from batch_nlp import cli

        with prepare(request["faults"]):
            code = cli.main()
            logger.remove()  # closes the run's log, as the end of a process does
    except BaseException:  # noqa: BLE001 as Python would, but without the server's own ending
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # they are files too, and a limit on the size of files holds for them
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
