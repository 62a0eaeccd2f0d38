"""The line of ``deploy/crontab`` run by the real cron daemon, and the mail that it sends."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.naming import assert_names
from tests.projects import Project
from tests.unit.notify.servers import serving

from batch_nlp.cli import PROJECT_ROOT

pytestmark = [
    pytest.mark.long,  # it waits for the next minute
    pytest.mark.skipif(
        not shutil.which("cron", path="/usr/sbin") or os.geteuid() != 0, reason="needs the daemon of cron, and root"
    ),
]
SECRET = "T0SECRET"  # noqa: S105 the path of an address of this test's own server
# The daemon sees these folders in place of the machine's: no other job of the machine is run, and no mail leaves it
_SURROUNDINGS = """
set -e
mount --bind "$1/sbin" /usr/sbin
mount --bind "$1/spool" /var/spool/cron/crontabs
mount --bind "$1/none" /etc/cron.d
mount --bind /dev/null /etc/crontab
mount --bind "$1/none" /run
exec /usr/sbin/cron -f
"""
_SENDMAIL = """#!/bin/sh
cat > "{}/mail.tmp" && mv "{}/mail.tmp" "{}/mail"
"""


@pytest.fixture
def cron(tmp_path: Path) -> Iterator[Path]:
    """Run the daemon on ``spool``; what it mails is in ``mail``."""
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("needs the right to mount")
    for name in ("sbin", "spool", "none"):
        (tmp_path / name).mkdir()
    shutil.copy("/usr/sbin/cron", tmp_path / "sbin")
    (tmp_path / "sbin" / "sendmail").write_text(_SENDMAIL.format(*[tmp_path] * 3))
    (tmp_path / "sbin" / "sendmail").chmod(0o755)
    daemon = subprocess.Popen(["unshare", "--mount", "sh", "-c", _SURROUNDINGS, "sh", str(tmp_path)])
    yield tmp_path
    daemon.kill()
    daemon.wait()


def test_the_secret_reaches_the_webhook_and_no_mail(cron: Path) -> None:
    """Cron writes a crontab's variables into the header of its mails, so the secret is in a file of its own."""
    project, home = Project(cron / "project"), cron / "home"
    (home / ".config").mkdir(parents=True)
    with serving(204) as server:
        secrets = home / ".config" / "batch-nlp.env"
        secrets.touch(mode=0o600)
        secrets.write_text(f"BATCH_NLP_WEBHOOK={server.url}/{SECRET}\n")
        settings = f"paths.data={project.data} paths.models={project.models} notify=json inference.inbox=/nowhere"
        line = (PROJECT_ROOT / "deploy" / "crontab").read_text().splitlines()[-1]
        command = line.split(None, 5)[5]
        crontab = f'HOME={home}\nBATCH_NLP_HOME={PROJECT_ROOT}\nBATCH_NLP_ARGS="{settings}"\n* * * * * {command}\n'
        (cron / "root").write_text(crontab)
        (cron / "root").chmod(0o600)
        # at once whole: the daemon may look at any time
        (cron / "root").rename(cron / "spool" / "root")
        end = time.monotonic() + 150
        while not (cron / "mail").exists():
            assert time.monotonic() < end, "no mail came"
            time.sleep(0.2)
    mail = (cron / "mail").read_text()
    assert "X-Cron-Env: <BATCH_NLP_ARGS=" in mail, "what stands in the crontab is mailed"
    assert_names(mail, 3, "batch-nlp", "data/08_reporting/logs")
    assert SECRET not in mail
    assert server.paths[0] == f"/{SECRET}"
    assert server.received[0]["event"] == "failure"
