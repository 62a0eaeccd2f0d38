"""Show the share of mutants that the tests killed, by module, and fail if it is too low: ``make mutation``.

A mutant is killed if a test fails or never ends because of it. Everything else counts against the tests, including
mutants that no test reaches, except survivors that only reword a sentence: tests assert keys and figures, so that the
wording can be improved.
"""

from __future__ import annotations

import re
import subprocess  # nosec B404 # starts mutmut only, with fixed arguments
import sys
from collections import Counter

LEAST = 0.9
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
KILLED = ("killed", "timeout")


def results() -> list[tuple[str, str]]:
    """Return the name and the fate of every mutant, as mutmut reports them."""
    named = (line.strip().rsplit(": ", 1) for line in _mutmut("results", "--all", "true") if "__mutmut_" in line)
    return [(name, fate) for name, fate in named]


def rewords(diff: list[str]) -> bool:
    """Return whether a mutant changes nothing but sentences, or parts of them.

    Examples
    --------
    >>> rewords(["--- a.py", "+++ a.py", '-    raise E("no such file")', '+    raise E("XXno such fileXX")'])
    True
    >>> rewords(["--- a.py", "+++ a.py", '-    return "low"', '+    return "LOW"'])
    False
    """
    before, after = (
        [_TEXT.sub(lambda text: "" if " " in text[0] or text[0].endswith('."') else text[0], line) for line in lines]
        for lines in ([line[1:] for line in diff[2:] if line.startswith(sign)] for sign in "-+")
    )
    return bool(before) and before == after


def _mutmut(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()  # nosec B603 # names come from mutmut


def report(found: list[tuple[str, str]]) -> tuple[list[str], float]:
    """Return the lines of a table of the modules, and the share of all mutants that were killed."""
    mutants = Counter(name.rpartition(".")[0] for name, _ in found)
    killed = Counter(name.rpartition(".")[0] for name, fate in found if fate in KILLED)
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
    # `mutmut show` prints a line with the name before the diff
    counted = [one for one in found if one[1] in KILLED or not rewords(_mutmut("show", one[0])[1:])]
    lines, share = report(counted)
    print("\n".join(lines))
    if share < LEAST:
        print(f"mutation: {share:.1%} killed, need {LEAST:.0%}. See `mutmut results` and `mutmut show NAME`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
