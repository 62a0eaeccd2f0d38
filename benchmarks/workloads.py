"""Workloads: generated messages, or those of a folder; created once and kept in a folder between runs."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from benchmarks.measure import ROOT, python, run
from benchmarks.task import Task, number_of_lines

# length factor of the generated texts: about 110 words on average, where the generator writes 96
LENGTH = 1.15
# Broken lines would end the baselines
SOUND = ("sample.broken_share=0",)
# Model quality is not measured
NO_BARS = ("training.thresholds.f1_macro=0.0", "training.thresholds.f1_weighted=0.0", "training.thresholds.recall=0.0")
# Messages that arrive after a first run of the feature pipeline
NEW_SHARE = 0.01
ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")

# Files are links, and whole
_LINKED = ("dataset.follow_links=true", "inference.min_age_seconds=0")


@dataclass(frozen=True)
class Workload:
    """Messages with their side tables, and a champion to score them."""

    # As in the tables
    name: str
    # Number of messages without duplicates
    messages: int
    # Folder for the output of runs
    folder: Path
    # Folder of the labelled messages and the side tables
    raw: Path
    # Folder of the messages to classify
    inbox: Path
    # Folder with one per cent more labelled messages
    new: Path | None
    # Folder with ``data`` and ``models`` of a model that scores the messages
    champion: Path
    # ``sample`` or ``yelp``
    dataset: str
    # Settings of every run of this project
    settings: tuple[str, ...] = ()

    def place(self, name: str) -> Path:
        """Return the data folder of a run."""
        return self.folder / name

    def command(self, pipeline: str, data: Path, models: Path, *settings: str) -> tuple[str, ...]:
        """Return this project's own command line."""
        paths = (f"paths.data={data}", f"paths.models={models}")
        chosen = (f"dataset={self.dataset}", "dataset.generate=false", *_LINKED, *self.settings, *settings)
        return python(str(ROOT / "start_batch_nlp.py"), f"pipeline={pipeline}", *paths, *chosen)

    def task(self, data: Path, output: Path, at_most: int | None = None) -> Task:
        """Return the input of a measured function."""
        output.mkdir(parents=True, exist_ok=True)
        composed = self.command("inference", data, self.champion / "models")[3:]
        return Task(
            settings=list(composed),
            labelled=_tables(self.raw, "review"),
            messages=_tables(self.inbox, "review"),
            users=next(iter(_tables(self.raw, "user")), None),
            businesses=next(iter(_tables(self.raw, "business")), None),
            output=str(output),
            at_most=at_most,
        )

    def fresh(self, data: Path) -> None:
        """Empty a data folder, and put links to the messages and to the distilled table into it."""
        shutil.rmtree(data, ignore_errors=True)
        link(self.raw, data / "01_raw" / self.dataset)
        link(self.inbox, data / "09_inference" / "inbox")
        link(self.champion / "data" / "04_feature" / "embedding_cache", data / "04_feature" / "embedding_cache")
        begin(data)
        begin(self.place("models"))


def begin(folder: Path) -> None:
    """Make a folder of data or models look as if a run had worked in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".lock").touch()


def link(source: Path, target: Path) -> None:
    """Link the files of a folder into another one."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.is_file() and not file.name.startswith("."):
            (target / file.name).symlink_to(file.resolve())


def _tables(folder: Path, name: str) -> list[str]:
    return sorted(str(file) for file in folder.glob(f"*{name}*") if file.name.endswith(ENDINGS))


def generated(messages: int, work: Path, champion: Path, settings: tuple[str, ...] = ()) -> Workload:
    """Return a workload, kept in `work`: a history, a batch from the same users, and one per cent more with labels."""
    folder = work / f"sample-{messages}"
    data = folder / "made"
    raw, inbox, new = data / "01_raw" / "sample", data / "09_inference" / "inbox", folder / "new"
    workload = Workload(f"{messages:,}", messages, folder, raw, inbox, new, champion, "sample", settings)
    done = folder / "done"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)

        def sample(part: str, batch: int, *more: str) -> None:
            sizes = (f"sample.part={part}", f"sample.messages={messages}", f"sample.batch_messages={batch}")
            run(workload.command("sample", data, folder / "models", *sizes, *SOUND, *more))

        sample("history", messages)
        sample("batch", max(1, round(messages * NEW_SHARE)))
        sample("labels", 1)
        new.mkdir()
        for file in raw.glob("*_batch_*"):
            file.rename(new / file.name)
        for file in inbox.iterdir():
            file.unlink()
        sample("batch", messages, f"sample.length={LENGTH}")
        done.touch()
    return workload


def first(workload: Workload, messages: int) -> Workload:
    """Return a workload with the first messages to classify of another one."""
    folder = workload.folder / f"first-{messages}"
    inbox = folder / "inbox"
    if not inbox.exists():
        inbox.mkdir(parents=True)
        (file,) = _tables(workload.inbox, "review")
        with Path(file).open("rb") as lines:
            (inbox / Path(file).name).write_bytes(b"".join(islice(lines, messages)))
    return replace(workload, name=f"{messages:,}", messages=messages, folder=folder, inbox=inbox, new=None)


def only_new(workload: Workload) -> Workload:
    """Return a workload whose labelled messages are those alone that another one gets after its first run."""
    if workload.new is None:
        raise ValueError(f"{workload.folder} has no new messages.")
    folder = workload.folder / "only-new"
    if not folder.exists():
        link(workload.new, folder / "raw")
        for file in (*_tables(workload.raw, "user"), *_tables(workload.raw, "business")):
            (folder / "raw" / Path(file).name).symlink_to(file)
    messages = number_of_lines(_tables(workload.new, "review"))
    return replace(workload, messages=messages, folder=folder, raw=folder / "raw", new=None)


def generated_champion(work: Path, name: str = "champion", settings: tuple[str, ...] = ()) -> Path:
    """Return the folder of a champion that was trained on the default sample."""
    return _champion(work / name, ("dataset=sample", *settings))


def real(raw: Path, work: Path) -> Workload:
    """Return the messages of a folder in the format of the Yelp Open Dataset, and a champion trained on them."""
    settings = ("dataset=yelp", f"dataset.raw_dir={raw}")
    # workloads of another folder hold other messages
    folder = work / f"real-{hashlib.sha256(str(raw).encode()).hexdigest()[:8]}"
    champion = _champion(folder / "champion", settings)
    inbox = folder / "inbox"
    if not inbox.exists():
        inbox.mkdir(parents=True)
        for file in raw.glob("*review*"):
            (inbox / file.name).symlink_to(file.resolve())
    messages = number_of_lines(_tables(raw, "review"))
    return Workload("real", messages, folder, raw, inbox, None, champion, "yelp")


def _champion(folder: Path, settings: tuple[str, ...]) -> Path:
    if not (folder / "models" / "champion.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        distilled = ROOT / ".cache" / "embedding"
        if distilled.is_dir():  # the tests keep one: it saves the distillation
            link(distilled, folder / "data" / "04_feature" / "embedding_cache")
        paths = (f"paths.data={folder / 'data'}", f"paths.models={folder / 'models'}")
        run(python(str(ROOT / "start_batch_nlp.py"), "pipeline=training", *paths, *NO_BARS, *settings))
    return folder
