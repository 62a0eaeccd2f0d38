"""The machine, the versions, and the state of the code."""

from __future__ import annotations

import os
import platform
import subprocess  # nosec B404 # starts git only, with fixed arguments
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "batch-nlp", "deltalake", "duckdb", "model2vec", "numpy", "onnxruntime", "pandas", "pyarrow", "scikit-learn",
    "sentence-transformers", "tokenizers", "torch", "xgboost",
)  # fmt: skip


def describe(root: Path) -> dict[str, Any]:
    """Return the facts of the machine, and the commit of the project in the folder `root`."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "commit": _commit(root),
    }


def in_words(machine: dict[str, Any]) -> str:
    """Return the facts as a sentence or two."""
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB of memory, {machine['system']}, "
        f"Python {machine['python']}; {packages}; commit {machine['commit']}."
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit(root: Path) -> str:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # nosec B603 # fixed arguments
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
