"""Ask whether the installed packages have known vulnerabilities: ``make audit``.

pip-audit asks, this says what the answer is worth. A known vulnerability fails (exit code 1). Packages that nobody
could be asked about, for lack of network or since the index in use has no advisories, are counted and fail nothing:
a machine without network must still be able to build. ``--strict`` fails for them too.
"""

from __future__ import annotations

import json
import subprocess  # nosec B404 # starts pip-audit only, with fixed arguments
import sys
from typing import Any

SERVICES = ("pypi", "osv")


def ask(service: str) -> dict[str, Any]:
    """Return pip-audit's report as of one of the services that it knows; without packages where there is none."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--format", "json"]
    command += ["--progress-spinner", "off", "--timeout", "15", "--skip-editable", "--desc", "off"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # nosec B603 # arguments are written above
    try:
        report: dict[str, Any] = json.loads(answer.stdout)
    except ValueError:
        reason = (answer.stderr.strip().splitlines() or ["no answer"])[-1]
        return {"dependencies": [], "reason": reason[:300]}
    return report


def judge(report: dict[str, Any]) -> tuple[list[str], int, int]:
    """Return the vulnerabilities in words, the number of packages that were judged, and the number that were not."""
    found, judged, unknown = [], 0, 0
    for package in report["dependencies"]:
        if "skip_reason" in package:
            unknown += 0 if "editable" in package["skip_reason"] else 1
            continue
        judged += 1
        for flaw in package["vulns"]:
            fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
            found.append(f"{package['name']} {package['version']}: {flaw['id']}, fixed in {fixed}")
    return found, judged, unknown


def main(arguments: list[str]) -> int:
    """Print the verdict and return the exit code."""
    found: list[str] = []
    judged = unknown = 0
    for service in SERVICES:
        report = ask(service)
        found, judged, unknown = judge(report)
        if judged:
            break
        print(f"audit: {service} knows nothing of the {unknown} packages asked about. {report.get('reason', '')}")
    for line in found:
        print(f"audit: {line}")
    if found:
        print(f"audit: {len(found)} known vulnerabilities. Raise the versions: uv lock --upgrade-package NAME")
        return 1
    if not judged:
        print("audit: NOT DONE: no service of advisories can be reached from here. Run `make audit` where one can.")
    else:
        print(f"audit: no known vulnerability in {judged} packages; {unknown} could not be judged")
    return 1 if "--strict" in arguments and (unknown or not judged) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
