"""Full disks and read-only folders, for the superuser too: mounts in a namespace of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, command: str) -> Iterator[int]:
    """Mount something on a folder in a name space of its own, and give the process that holds it.

    Parameters
    ----------
    folder : Path
        Where to.
    command : str
        Shell commands that mount it; ``$1`` is the folder. Where the system allows none of it, the test is skipped.
    """
    # the shell holds the name space until its input ends; others see its mounts in /proc/PID/root, or enter it
    script = f"{command} && echo ready && read -r end"
    process = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stderr
        if process.stdout.readline() != "ready\n":
            pytest.skip(f"this system mounts nothing for a test: {process.stderr.read().strip()}")
        yield process.pid
    finally:
        process.communicate("\n")
