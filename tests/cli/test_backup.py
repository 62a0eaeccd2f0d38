"""The backup that the docs describe: with nothing else, the state is sound elsewhere and runs go on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.projects import Project

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.errors import ExitCode


def test_the_documented_backup_is_enough_to_continue(project: Project, tmp_path: Path) -> None:
    section = (PROJECT_ROOT / "docs" / "operations.md").read_text().partition("## Backup")[2]
    found = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert found
    places = {"/srv/batch-nlp": str(project.folder), "/backup/batch-nlp.tar.gz": str(tmp_path / "backup.tar.gz")}
    command = found[1]
    for place, own in places.items():
        command = command.replace(place, own)
    subprocess.run(["bash", "-c", command], check=True)
    restored = Project(tmp_path / "restored")
    restored.folder.mkdir()
    subprocess.run(["tar", "-xzf", tmp_path / "backup.tar.gz", "-C", restored.folder], check=True)
    cache = "data/04_feature/embedding_cache"  # takes long to make again
    assert not (restored.folder / cache).exists()
    shutil.copytree(project.folder / cache, restored.folder / cache, symlinks=True)
    shutil.rmtree(project.folder)

    looked = restored.here("pipeline=verify", "verify.report=true")
    assert looked.returncode == ExitCode.DONE, looked.stderr
    report = json.loads((restored.data / "08_reporting" / "verify.json").read_text())
    assert report["findings"] == []
    row = {"review_id": "new", "user_id": "u", "business_id": "b", "text": "good food", "date": "2026-01-02"}
    (restored.data / "09_inference" / "inbox" / "new_review.json").write_text(json.dumps(row) + "\n")
    scored = restored.here("pipeline=inference")
    assert scored.returncode == ExitCode.DONE, scored.stderr
    records = [json.loads(path.read_text()) for path in sorted((restored.data / "09_inference/batches").glob("*.json"))]
    assert [record["accounts"]["in"] for record in records][1:] == [1]
    assert restored.here("pipeline=training").returncode == ExitCode.DONE
