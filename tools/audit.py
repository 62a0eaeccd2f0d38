"""Ask whether the installed packages have known vulnerabilities: ``make audit``.

A known vulnerability fails (exit code 1). Packages without an answer, because the network or advisories for the index
in use are missing, are counted but do not fail, since a build must work without network; with ``--strict`` they fail.
"""

from __future__ import annotations

import json
import subprocess  # nosec B404 # starts pip-audit only, with fixed arguments
import sys
from typing import Any

SERVICES = ("pypi", "osv")


def ask(service: str) -> dict[str, Any]:
    """Return pip-audit's report from a service; without packages if the service does not answer."""
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
    """Return the vulnerabilities in words, and the numbers of packages with and without an answer."""
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
        print(f"audit: {service} has no advisories for the {unknown} packages. {report.get('reason', '')}")
    for line in found:
        print(f"audit: {line}")
    if found:
        print(f"audit: {len(found)} known vulnerabilities. Raise the versions: uv lock --upgrade-package NAME")
        return 1
    if not judged:
        print("audit: NOT DONE: no advisory service can be reached. Run `make audit` on a machine with network access.")
    else:
        print(f"audit: no known vulnerability in {judged} packages; {unknown} could not be judged")
    return 1 if "--strict" in arguments and (unknown or not judged) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
