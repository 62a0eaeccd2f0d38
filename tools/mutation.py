"""Say which share of the mutants the tests have killed, by module, and fail under the least: ``make mutation``.

A mutant is killed when a test fails, or runs for ever, because of it. Everything else counts against the tests, also a
mutant that no test reaches.
"""

from __future__ import annotations

import subprocess  # nosec B404 # starts mutmut only, with fixed arguments
import sys
from collections import Counter

LEAST = 0.85
KILLED = ("killed", "timeout")


def results() -> list[tuple[str, str]]:
    """Return the module and the fate of every mutant, as mutmut tells them."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # nosec B603 # arguments are written above
    named = (line.strip().rsplit(": ", 1) for line in told.splitlines() if "__mutmut_" in line)
    return [(name.rpartition(".")[0], fate) for name, fate in named]


def report(found: list[tuple[str, str]]) -> tuple[list[str], float]:
    """Return a table of the modules in lines, and the share of all mutants that was killed."""
    mutants = Counter(module for module, _ in found)
    killed = Counter(module for module, fate in found if fate in KILLED)
    lines = [
        f"{killed[module]:6,} of {number:6,}  {killed[module] / number:6.1%}  {module}"
        for module, number in sorted(mutants.items())
    ]
    share = killed.total() / mutants.total()
    lines.append(f"{killed.total():6,} of {mutants.total():6,}  {share:6.1%}  in all")
    return lines, share


def main() -> int:
    """Print the table and return the exit code."""
    found = results()
    if not found:
        print("mutation: no mutants; make them with: mutmut run")
        return 1
    unchecked = sum(fate == "not checked" for _, fate in found)
    if unchecked:
        print(f"mutation: {unchecked:,} of {len(found):,} mutants have not been tried; go on with: mutmut run")
        return 1
    lines, share = report(found)
    print("\n".join(lines))
    if share < LEAST:
        print(f"mutation: {share:.1%} killed, need {LEAST:.0%}. See `mutmut results` and `mutmut show NAME`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
