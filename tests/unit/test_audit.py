"""tools/audit.py: what an answer of pip-audit is worth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT

SOUND = {"name": "a", "version": "1", "vulns": []}
FLAWED = {"name": "b", "version": "2", "vulns": [{"id": "X-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found on the index"}
OURS = {"name": "batch-nlp", "skip_reason": "distribution marked as editable"}


def audit(folder: Path, packages: list[dict[str, Any]], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script where pip-audit answers with these packages."""
    answer = json.dumps({"dependencies": packages, "fixes": []})
    (folder / "pip_audit.py").write_text(f"print({answer!r})")
    command = [sys.executable, str(ROOT / "tools" / "audit.py"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(folder), "PATH": ""}
    )


@pytest.mark.parametrize(
    ("packages", "strict", "code", "words"),
    [
        ([SOUND, OURS], False, 0, "no known vulnerability in 1 packages; 0 could not be judged"),
        ([SOUND, OURS], True, 0, "no known vulnerability in 1 packages"),
        ([SOUND, FLAWED], False, 1, "b 2: X-1, fixed in 2.1"),
        ([SOUND, UNKNOWN], False, 0, "1 could not be judged"),
        ([SOUND, UNKNOWN], True, 1, "1 could not be judged"),
        ([UNKNOWN], False, 0, "NOT DONE"),
        ([UNKNOWN], True, 1, "NOT DONE"),
    ],
)
def test_a_known_vulnerability_fails_and_so_does_strictly_what_cannot_be_judged(
    tmp_path: Path, packages: list[dict[str, Any]], strict: bool, code: int, words: str
) -> None:
    result = audit(tmp_path, packages, *(["--strict"] if strict else []))
    assert (result.returncode, words in result.stdout) == (code, True), result.stdout + result.stderr
