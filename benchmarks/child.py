"""Run a measured function: ``python -m benchmarks.child MODULE:FUNCTION TASK``. Its last line of output is a `Done`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib import import_module

from benchmarks.task import Done, Task


def main(function: str, task: str) -> None:
    """Run the function of a module of this package on a task."""
    module, _, name = function.partition(":")
    done: Done = getattr(import_module(f"benchmarks.{module}"), name)(Task.from_json(task))
    print(json.dumps(asdict(done)))


if __name__ == "__main__":
    main(*sys.argv[1:])
