"""Run a command and write its time and memory: ``launch.py FILE COMMAND...``. The exit code is always 0.

This is a separate process with few imports, since on Linux the peak memory of a child starts at its parent's size.
"""

from __future__ import annotations

import json
import os
import subprocess  # nosec B404 # starts the commands of `benchmarks.measure`
import sys
import time


def main(file: str, *command: str) -> None:
    """Run the command with this process's outputs, and write exit code, wall and CPU seconds, and peak RSS in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command)  # nosec B603 # the caller's command, without a shell
    # of the command and of the processes that it waited for: the sum of their CPU seconds, the peak of the largest
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    found = {
        "code": process.returncode,
        "seconds": wall,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_rss_mib": usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10),
    }
    with open(file, "w") as result:  # noqa: PTH123 pathlib would be most of what is imported here
        json.dump(found, result)


if __name__ == "__main__":
    main(*sys.argv[1:])
