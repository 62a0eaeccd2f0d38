"""The stage `init`: examines a file of messages and writes the file of a dataset that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.config import Config
from batch_nlp.config.commands import command, own_folders, places_of_this_run
from batch_nlp.errors import SettingsError, printable
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.atomic import write_text


def check_init(config: Config) -> None:
    """Raise a `SettingsError`, before any work, if a dataset of that name exists."""
    name = config.init.name
    # a dataset of the project takes precedence over one of that name in another folder of settings
    for folder in (_folder(config), _of_the_project(config)):
        target = folder / "dataset" / f"{name}.yaml"
        if target.exists():
            raise SettingsError(
                f"init.name={name}: {target} exists and is never overwritten. Choose another name, or remove the file."
            )


def _of_the_project(config: Config) -> Path:
    return Path(config.paths.root) / "conf"


def _folder(config: Config) -> Path:
    own = config.init.folder or next(iter(own_folders()), None)
    return _of_the_project(config) if own is None else Path(own).expanduser().absolute()


def init(run: RunContext) -> None:
    """Write the file of a dataset, and print the commands to run next.

    Raises a `DataError` for a file without a readable row, a header or a column of texts, and a `SettingsError` for a
    column that does not exist.
    """
    from batch_nlp.onboarding.column_profiles import profiles
    from batch_nlp.onboarding.data_warnings import MANY_CLASSES, data_warnings
    from batch_nlp.onboarding.dataset_yaml import render_dataset
    from batch_nlp.onboarding.proposal import GivenColumns, propose
    from batch_nlp.onboarding.source_files import ROWS, read_source

    settings = run.config.init
    asked = GivenColumns(*(_names(value) for value in (settings.text, settings.label, settings.time, settings.id)))
    source = read_source(Path(str(settings.file)).expanduser().absolute(), asked)
    proposal = propose(profiles(source.rows), asked, str(settings.file), run.config)
    count = len(source.rows)
    looked_at = f"{'the first ' if count >= ROWS else ''}{count:,} rows of {settings.file}"
    target = _folder(run.config) / "dataset" / f"{settings.name}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, render_dataset(str(settings.name), source, proposal, looked_at))
    for problem in (*source.problems, *data_warnings(proposal)):
        logger.warning("{}", printable(problem, None, " "))
    logger.info("Init: wrote {}, which describes {}; check it before you go on", target, settings.file)
    fast = ["model=logistic_regression", "training.inputs=[tabular,embedding]"]
    model = fast if len(proposal.classes) > MANY_CLASSES else []
    stages = ("feature", "training", "inference") if proposal.labels else ("feature",)
    commands = [command([f"pipeline={stage}", *_places(run.config), *model], []) for stage in stages]
    if proposal.labels:
        commands.insert(2, "# then put new files into the folder 09_inference/inbox of paths.data, and:")
    logger.info("Next:{}", "".join(f"\n  {one}" for one in commands))


def _places(config: Config) -> list[str]:
    """Return the flags and settings of the next commands: the dataset, and its own folders."""
    folder, name = _folder(config), config.init.name
    own = [] if folder == _of_the_project(config) else ["--config-dir", str(folder)]
    paths = [setting for setting in places_of_this_run() if setting.startswith("paths.")]
    return [*own, f"dataset={name}", *(paths or [f"paths.data={name}/data", f"paths.models={name}/models"])]


def _names(value: Any) -> list[str] | None:
    """Return the columns that a setting names: an empty list for ``none``; None for null, so that `init` chooses."""
    if value is None:
        return None
    names = list(value) if isinstance(value, list | tuple) else str(value).split(",")
    return [] if names == ["none"] else [str(name) for name in names]
