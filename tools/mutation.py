"""Show the share of mutants that the tests killed, by module, and fail if it is too low: ``make mutation``.

A mutant is killed if a test fails or never ends because of it. Everything else counts against the tests, including
mutants that no test reaches.
"""

from __future__ import annotations

import subprocess  # nosec B404 # starts mutmut only, with fixed arguments
import sys
from collections import Counter

LEAST = 0.9
KILLED = ("killed", "timeout")


def results() -> list[tuple[str, str]]:
    """Return the module and the fate of every mutant, as mutmut reports them."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # nosec B603 # arguments are written above
    named = (line.strip().rsplit(": ", 1) for line in told.splitlines() if "__mutmut_" in line)
    return [(name.rpartition(".")[0], fate) for name, fate in named]


def report(found: list[tuple[str, str]]) -> tuple[list[str], float]:
    """Return the lines of a table of the modules, and the share of all mutants that were killed."""
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
        print("mutation: there are no mutants; create them with: mutmut run")
        return 1
    unchecked = sum(fate == "not checked" for _, fate in found)
    if unchecked:
        print(f"mutation: {unchecked:,} of {len(found):,} mutants have not been tried; continue with: mutmut run")
        return 1
    lines, share = report(found)
    print("\n".join(lines))
    if share < LEAST:
        print(f"mutation: {share:.1%} killed, need {LEAST:.0%}. See `mutmut results` and `mutmut show NAME`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
