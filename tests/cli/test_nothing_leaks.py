"""One hostile source through all pipelines: texts stay in data files, names in their folders, and HTML is text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Once
from tests.projects import LIGHT, Project
from tests.settings import default

from batch_nlp.config import SampleConfig
from batch_nlp.errors import ExitCode
from batch_nlp.sample import write_history
from batch_nlp.training import run as training_run
from batch_nlp.training.card.card_pages import card_pages

# Begins a word that each message has of its own: so it is in no vocabulary, which keeps words of several messages
MARK = "zqxjkv"
ATTACK = "<script>alert(1)</script>"
CLASSES = [f"bad{ATTACK}", "so & so", "good<img src=x onerror=alert(1)>"]
# Where the documentation says that texts are: whoever reads these may read messages
MAY_HOLD_TEXTS = (
    "01_raw/", "02_intermediate/", "03_primary/", "04_feature/", "05_model_input/", "07_model_output/",
    "09_inference/inbox/", "09_inference/quarantine/", "08_reporting/explanations/",
)  # fmt: skip
# Of a model: its check rows, and the messages on whose class it and the label disagree
MODEL_FILES = ("check.parquet", "label_errors.html", "label_errors.parquet", "mistakes.html", "mistakes.parquet")
IDS = ["../../evil-1", "/etc/evil-2", "evil 3", ATTACK, "=cmd|' /C calc'!A0", "evil\\5", "~evil6", "evil\u202e7"]


class Elements(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "img" or any(name.startswith("on") for name, _ in attributes):
            self.acts.append(tag)


def hostile(rows: list[dict[str, Any]]) -> str:
    for position, row in enumerate(rows):
        own = MARK + "".join("abcdefghij"[int(digit)] for digit in str(position))  # letters: digits may be cut off
        row["text"] = f"{own} {row['text']} {own}"
        row["stars"] = CLASSES[(int(row["stars"]) - 1) // 2]
        if position < len(IDS):
            row["review_id"] = IDS[position]
    rows[-1]["date"] = f"{MARK} is no date"
    return "".join(json.dumps(row) + "\n" for row in rows) + f'{{"review_id": "broken", "text": "{MARK}\n'


@pytest.fixture(scope="module")
def state(once: Once, new_project: Callable[[Path], Project]) -> tuple[Project, str]:
    """Return a project after every pipeline ran on such a source at level DEBUG, and all that they printed."""

    def make(folder: Path) -> None:
        project = new_project(folder / "project")
        raw = project.folder / "raw"
        write_history(raw, default(SampleConfig, messages=600))
        file = next(raw.glob("*review*"))
        rows = [
            json.loads(line) for line in file.read_text().splitlines() if line.startswith("{") and line.endswith("}")
        ]
        file.write_text(hostile(rows[:-120]))
        inbox = project.inbox
        inbox.mkdir(parents=True)
        (inbox / f"new {ATTACK.replace('/', '_')} review.json").write_text(hostile(rows[-120:]))
        settings = [
            "dataset=yelp", f"dataset.raw_dir={raw}", "log_level=DEBUG", *LIGHT, "training.inputs=[tabular,ngrams]",
            "~dataset.label.classes", f"+dataset.label.classes={json.dumps(CLASSES)}",
            "training.min_class_messages=5", "drift.response=alert",
        ]  # fmt: skip
        printed = []
        for arguments, codes in (
            (["pipeline=fti"], {ExitCode.DONE, ExitCode.DRIFT}),
            (["pipeline=learning_curve", "learning_curve.shares=[1.0]"], {ExitCode.DONE}),
            (["pipeline=explain", "message_id='../../evil-1'"], {ExitCode.DONE}),
            (["pipeline=status"], set(ExitCode)),
            (["pipeline=rollback"], {ExitCode.DATA}),
        ):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(training_run, "card_pages", card_pages)  # its figures too
                result = project.here(*settings, *arguments)
            assert result.returncode in codes, result.stderr
            if "pipeline=explain" not in arguments:  # it is asked for, and shows the message
                printed.append(result.stdout + result.stderr)
        (folder / "printed.txt").write_text("\n".join(printed))

    folder = once("hostile_project", make)
    return Project(folder / "project"), (folder / "printed.txt").read_text()


def files(project: Project) -> list[tuple[str, Path]]:
    return [(str(path.relative_to(project.folder)), path) for path in project.folder.rglob("*") if path.is_file()]


def test_no_text_of_a_message_is_in_a_log_a_report_or_on_the_terminal(state: tuple[Project, str]) -> None:
    project, printed = state
    assert "DEBUG" in printed
    assert MARK not in printed
    looked_at = []
    for name, path in files(project):
        inside = name.removeprefix("data/")
        if name.startswith("raw/") or inside.startswith(MAY_HOLD_TEXTS) or path.name in MODEL_FILES:
            continue
        looked_at.append(path.suffix)
        assert MARK.encode() not in path.read_bytes(), name
    # logs, saved settings, reports, manifests and metrics were among them
    assert {".log", ".yaml", ".html", ".json", ".jsonl", ".prom", ".md"} <= set(looked_at)


def test_the_texts_are_in_the_data_files(state: tuple[Project, str]) -> None:
    """The test above can fail."""
    explained = [path for name, path in files(state[0]) if "explanations/" in name]
    assert len(explained) == 2
    assert all(MARK in path.read_text() for path in explained)


def test_nothing_was_written_outside_of_the_project(state: tuple[Project, str]) -> None:
    project, _ = state
    assert sorted(path.name for path in project.folder.parent.iterdir()) == ["printed.txt", "project"]
    assert sorted(path.name for path in project.folder.iterdir()) == ["data", "models", "raw"]
    written = [path for name, path in files(project) if not name.startswith("raw/") and "/inbox/" not in name]
    assert not [path for path in written if re.search(r"[<>|\\]|\.\.", path.name) or "evil" in str(path.parent)]


def test_every_page_shows_hostile_names_as_text(state: tuple[Project, str]) -> None:
    project, _ = state
    pages = {name: path.read_text() for name, path in files(project) if path.suffix == ".html"}
    kinds = ("batches/index.html", "explanations/", "learning_curve", "batches/", "model_card", "pipelines/")
    for kind in kinds:
        assert any(kind in name for name in pages), f"{kind} is not among {sorted(pages)}"
    for name, page in pages.items():
        assert ATTACK not in page, name
        if "pipelines/" not in name:  # diagrams of scikit-learn, with its buttons
            found = Elements()
            found.feed(page)
            assert not found.acts, name
    shown = [name for name, page in pages.items() if "alert(1)" in page]
    assert len(shown) >= 4, shown
