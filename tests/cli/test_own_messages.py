"""From a file that the project has never seen to a verdict: the page, and variants of a file."""

from __future__ import annotations

import csv
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.naming import assert_ended, assert_names, names, settings_in
from tests.projects import DATASETS, LIGHT, Project
from tests.tickets import BAD, GOOD

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.errors import ExitCode
from batch_nlp.storage.lock import writer_lock

PAGE = PROJECT_ROOT / "docs" / "your-own-messages.md"
# More of them: BATCH_NLP_VARIANTS=100 pytest tests/cli/test_own_messages.py; and of a CSV of your own, with the names
# of its columns of texts and, if it has one, of times after colons: BATCH_NLP_VARIANTS_OF=tweets.csv:text:created
VARIANTS = range(int(os.environ.get("BATCH_NLP_VARIANTS", "2")))
OWN, OWN_TEXT, OWN_TIME, *_ = [*os.environ.get("BATCH_NLP_VARIANTS_OF", "").split(":"), "", ""]
OWN_ROWS = 400
WORDS = ["reise", "x7", "q_9", "the answer", "a.b", "größe", "列", "what's new?", "a: b", "1", "${x}", "ort,", "#"]
FORMS = ["%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%y %H:%M", "%d %B %Y %H:%M"]
FORMS += ["%Y-%m-%dT%H:%M:%SZ", "%b %d, %Y %I:%M %p", "excel", "unix"]


def messages() -> tuple[list[dict[str, str]], str, str]:
    """Return the messages to make variants of, and which columns are their text and their time."""
    if not OWN:
        return reviews(), "text", "day"
    table = pd.read_csv(OWN, dtype=str, keep_default_na=False).sample(OWN_ROWS, random_state=0).sort_index()
    return table.to_dict("records"), OWN_TEXT, OWN_TIME


def reviews(count: int = 160) -> list[dict[str, str]]:
    """Return reviews with a date and a rating, of which two in five are bad."""
    rows = []
    for number in range(count):
        bad = number % 5 < 2
        text = f"{(BAD if bad else GOOD)[number % 3]}, order {number}"
        day = pd.Timestamp("2021-03-01") + pd.Timedelta(hours=25 * number)
        rows.append({"text": text, "day": f"{day:%Y-%m-%d %H:%M}", "rating": "low" if bad else "high"})
    return rows


def as_written(time: pd.Timestamp, form: str) -> str:
    if form == "excel":
        return f"{(time - pd.Timestamp('1899-12-30')) / pd.Timedelta(days=1):.10g}"
    return f"{time.timestamp():.0f}" if form == "unix" else time.strftime(form)


def write(file: Path, rows: list[dict[str, str]], separator: str = ",", encoding: str = "utf-8") -> None:
    with file.open("w", newline="", encoding=encoding) as target:
        writer = csv.DictWriter(target, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


def whole_way(project: Project, file: Path, text: str = "text") -> list[str]:
    """Run init, features, training and inference without an edit; return the classes of the file by message.

    Where init asks which column is the text, since a name is a value too, it is told.
    """
    folder = project.folder / "conf"
    asked = ("pipeline=init", "init.name=of_tests", f"init.file={file}", f"init.folder={folder}")
    found = project.here(*asked)
    if found.returncode == ExitCode.DATA and names(found.stderr, "init.text=COLUMN"):
        found = project.here(*asked, f"init.text={text}")
    assert found.returncode == ExitCode.DONE, found.stderr
    inbox = project.inbox
    inbox.mkdir(parents=True)
    shutil.copy(file, inbox)
    own = (
        "--config-dir",
        str(folder),
        "dataset=of_tests",
        *LIGHT[1:],
        "training.inputs=[tabular,ngrams]",
        "features=none",
    )
    done = project.here("pipeline=fti", "drift.response=none", "model.params.n_estimators=10", *own)
    assert done.returncode in (ExitCode.DONE, ExitCode.DRIFT), done.stderr
    predicted = pd.read_parquet(next((project.data / "09_inference" / "predictions").glob("*/predictions.parquet")))
    return predicted.sort_values("message_id")["predicted_label"].to_list()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what is predicted of the file as it is."""
    project = Project(tmp_path_factory.mktemp("plain"))
    write(project.folder / "mine.csv", messages()[0])
    return whole_way(project, project.folder / "mine.csv")


@pytest.mark.parametrize("seed", VARIANTS)
def test_a_variant_of_a_file_gives_the_same_predictions_without_an_edit(
    seed: int, plain: list[str], tmp_path: Path
) -> None:
    """Other names, order, separator, encoding and form of the dates."""
    draw = random.Random(seed)
    plain_rows, text, time = messages()
    names = dict(zip(plain_rows[0], draw.sample(WORDS, len(plain_rows[0])), strict=True))
    form, order = draw.choice(FORMS), draw.sample(list(names), len(names))
    rows = []
    for row in plain_rows:
        cells = {**row, **({time: as_written(pd.Timestamp(row[time]), form)} if time else {})}
        rows.append({names[column]: cells[column] for column in order})
    file = tmp_path / f"export{draw.choice(['.csv', '.CSV'])}"
    encodings = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]
    try:
        str(rows).encode("cp1252")
    except UnicodeEncodeError:
        encodings.pop()
    write(file, rows, draw.choice(",;\t|"), draw.choice(encodings))
    assert whole_way(Project(tmp_path), file, names[text]) == plain


def test_a_text_that_is_called_otherwise_is_read_as_advised_after_a_training(tmp_path: Path) -> None:
    """Neither data nor labels are new, so the model that reads both names may be the same as the one that does not."""
    project, file = Project(tmp_path), tmp_path / "mine.csv"
    write(file, reviews())
    whole_way(project, file, file)
    inbox = project.inbox / "new.csv"
    write(inbox, [{"body": f"{row['text']} again", "day": row["day"]} for row in reviews()])
    own = ["--config-dir", str(tmp_path / "conf"), "dataset=of_tests", *LIGHT[1:], "training.inputs=[tabular,ngrams]"]
    own += ["features=none", "drift.response=none", "model.params.min_child_weight=1"]  # so few messages
    refused = project.here("pipeline=inference", *own)
    assert refused.returncode == ExitCode.DATA
    [line] = [line for line in refused.stderr.splitlines() if settings_in(line)]
    [advice] = settings_in(line)
    for stage in [*re.findall(r"pipeline=\w+", line.partition(advice)[0]), "pipeline=inference"]:
        done = project.here(stage, *own, advice)
        assert done.returncode == ExitCode.DONE, done.stderr
    assert_names(done.stderr, "160 predicted")


def test_a_file_of_the_users_is_never_overwritten(tmp_path: Path) -> None:
    project, file = Project(tmp_path), tmp_path / "mine.csv"
    write(file, reviews())
    own = tmp_path / "dataset" / "of_tests.yaml"
    own.parent.mkdir()
    own.write_text("name: of_tests\n")
    asked = ("pipeline=init", "init.name=of_tests", f"init.file={file}", f"init.folder={tmp_path}")
    refused = project.here(*asked)
    assert_ended(refused, ExitCode.SETTINGS, project.shown(own))
    assert own.read_text() == "name: of_tests\n"
    asked = (*asked[:1], "init.name=of_tests_2", *asked[2:], "init.label=rating", "init.time=none")
    assert project.here(*asked).returncode == ExitCode.DONE
    written = yaml.safe_load((tmp_path / "dataset" / "of_tests_2.yaml").read_text())
    assert written["label"] == {"column": "rating"}
    assert list(written["messages"]["columns"]) == ["text"]


def test_the_printed_commands_run_and_init_touches_no_data(tmp_path: Path) -> None:
    """A folder of messages with a table beside them; init needs no lock, since it writes nothing that others read."""
    project, conf, files = Project(tmp_path), tmp_path / "my conf", tmp_path / "files"
    files.mkdir()
    conf.mkdir()
    write(
        files / "reviews.csv",
        [{**row, "shop": f"s{number % 4}"} for number, row in enumerate(reviews())],
        ";",
        "cp1252",
    )
    write(files / "shops.csv", [{"shop": f"s{number}", "city": "Rome"} for number in range(4)])
    write(files / "prices.csv", [{"thing": f"t{number}", "price": str(number)} for number in range(4)])
    with writer_lock(project.data, project.models):
        before = sorted(project.data.rglob("*"))
        done = project.here("pipeline=init", "--config-dir", str(conf), "init.name=of_tests", f"init.file={files}")
    assert done.returncode == ExitCode.DONE, done.stderr
    assert sorted(project.data.rglob("*")) == before
    assert [path.name for path in (conf / "dataset").iterdir()] == ["of_tests.yaml"]
    assert "prices.csv" in done.stderr
    commands = [shlex.split(line) for line in done.stderr.splitlines() if re.match(r"  \S*uv run", line)]
    assert [command[3:6] for command in commands] == [
        [f"pipeline={stage}", "--config-dir", project.shown(conf)] for stage in ("feature", "training", "inference")
    ]
    done = project.here(*commands[0][3:], "features=none", "training.inputs=[tabular,ngrams]")
    assert_ended(done, ExitCode.DONE, "160 new")
    again = project.here("pipeline=init", "--config-dir", str(conf), "init.name=of_tests", f"init.file={files}")
    assert_ended(again, ExitCode.SETTINGS, "of_tests.yaml")


def test_names_of_files_and_columns_need_no_quotes(tmp_path: Path) -> None:
    project, file = Project(tmp_path), tmp_path / "my reviews (1), ${old}.csv"
    write(file, [{**row, "what's new?": "a word or two"} for row in reviews()])
    asked = ("init.name=of_tests", f"init.file={file}", f"init.folder={tmp_path}", "init.text=text,what's new?")
    done = project.here("pipeline=init", *asked, "init.label=rating,day")
    assert done.returncode == ExitCode.DONE, done.stderr
    written = yaml.safe_load((tmp_path / "dataset" / "of_tests.yaml").read_text())
    assert list(written["messages"]["columns"]) == ["text", "what's new?"]
    assert written["label"]["column"] == ["rating", "day"]


@pytest.mark.parametrize(
    ("overrides", "exit_code", "words"),
    [
        (["init.name=my data", "init.file=x.csv"], ExitCode.SETTINGS, ["init.name=my data"]),
        (["init.name=of_tests"], ExitCode.SETTINGS, ["init.file"]),
        # a dataset of the project would be taken in its place
        (["init.name=yelp", "init.file=x.csv"], ExitCode.SETTINGS, ["yelp.yaml"]),
        (
            ["init.name=of_tests", "init.file=mine.csv", "init.text=none"],
            ExitCode.SETTINGS,
            ["init.text=none", "day", "rating"],
        ),
        (
            ["init.name=of_tests", "init.file=mine.csv", "init.id=nr"],
            ExitCode.SETTINGS,
            ["init.id=nr"],
        ),
        (["init.name=of_tests", "init.file=gone.csv"], ExitCode.DATA, ["gone.csv"]),
        (
            ["init.name=of_tests", "init.file=notes.txt"],
            ExitCode.DATA,
            ["notes.txt", ".json"],
        ),
        (["init.name=of_tests", "init.file=notes"], ExitCode.DATA, ["notes", ".json, .jsonl"]),
        (["init.name=of_tests", "init.file=numbers.csv"], ExitCode.DATA, ["numbers.csv", "a, b"]),
        (["init.name=of_tests", "init.file=empty.csv"], ExitCode.DATA, []),
    ],
)
def test_init_refuses_unusable_input(
    overrides: list[str], exit_code: ExitCode, words: list[str], tmp_path: Path
) -> None:
    """Guarantee 10."""
    (tmp_path / "notes.txt").write_text("a file\n")
    (tmp_path / "notes").mkdir()
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "empty.csv").write_text("")
    write(tmp_path / "mine.csv", reviews())
    found = Project(tmp_path).here("pipeline=init", f"init.folder={tmp_path}", *overrides)
    assert_ended(found, exit_code, *words)


@pytest.mark.long
def test_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    """In a copy of the project, since it writes a dataset's file there."""
    for name in ("conf", "src", "start_batch_nlp.py"):
        source = PROJECT_ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    for own in {*(tmp_path / "conf" / "dataset").glob("*.yaml")}:
        if own.stem not in DATASETS:  # the page may have been followed in this clone too
            own.unlink()
    commands = "\n".join(re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
    assert commands.count("uv run start_batch_nlp.py") == 5
    script = commands.replace("uv run start_batch_nlp.py", f"{shlex.quote(sys.executable)} start_batch_nlp.py")
    script = script.replace("sample.messages=6000", "sample.messages=900")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == ExitCode.DONE, done.stderr
    assert "verdict ok" in done.stderr
    assert (tmp_path / "my_work" / "models" / "v0001" / "model_card.html").exists()
