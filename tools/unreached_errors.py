"""List the errors that no test raises; ``make coverage`` fails if there is one.

The message of an error may change without a test noticing, but that the error is raised must be tested.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from coverage import Coverage

SOURCE = Path(__file__).parents[1] / "src" / "batch_nlp"


def unreached(source: str, missing: Collection[int]) -> Iterator[int]:
    """Return the lines that raise or return an error and that no test has run.

    Parameters
    ----------
    source : str
        Python source of a module.
    missing : collection of int
        Lines that no test has run.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise | ast.Return) and node.lineno in missing and _makes_error(node):
            yield node.lineno


def _makes_error(node: ast.Raise | ast.Return) -> bool:
    """Tell whether a statement raises an error other than Python's own, perhaps made by a function, or returns one."""
    called = {call.func.id for call in ast.walk(node) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}
    own = {name for name in called if not hasattr(builtins, name)}
    return bool(own) if isinstance(node, ast.Raise) else any(name.endswith("Error") for name in own)


def main() -> int:
    """Print the places and return the exit code."""
    coverage = Coverage()
    coverage.load()
    measured = coverage.get_data().measured_files()
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        if str(path) in measured:
            _, _, _, missing, _ = coverage.analysis2(str(path))
            found += [f"{path.relative_to(SOURCE)}:{line}" for line in unreached(path.read_text(), missing)]
    if found:
        print("Errors that no test raises:", *found, sep="\n  ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
