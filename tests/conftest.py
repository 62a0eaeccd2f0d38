"""What the tests of all packages share: settings as the command line composes them, a generated history, a model."""

from __future__ import annotations

import fcntl
import gc
import io
import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

# As the command line does, and before anything loads OpenMP: spinning threads are slow where tests run side by side
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Tables that a run prints are as wide as those of the runs in processes of their own
os.environ["COLUMNS"] = "160"

import hypothesis
import pytest
from hydra import compose, initialize_config_dir
from loguru import logger
from markupsafe import Markup
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from tests.fields import FIELDS
from tests.projects import Project
from tests.settings import default
from yaml import YAMLError

from batch_nlp.config import Config, EmbeddingConfig, EngineConfig, SampleConfig
from batch_nlp.config.load import typed_settings
from batch_nlp.errors import DataError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.run import run_feature_pipeline
from batch_nlp.reports import share_chart, trend_charts
from batch_nlp.sample import write_history
from batch_nlp.steps.embedding.factory import create_embedder
from batch_nlp.storage import registry, registry_problems
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.model_folder import check_model
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.training import run as training_run
from batch_nlp.training.card import card_pages
from batch_nlp.training.run import run_training_pipeline

ROOT = Path(__file__).resolve().parents[1]

_IN_FRESH_PROCESS = registry.check_in_fresh_process

MakeConfig = Callable[..., Config]
Once = Callable[[str, Callable[[Path], None]], Path]

_load_yaml = OmegaConf.load


@cache
def _parsed(text: str) -> Any:
    return OmegaConf.to_container(_load_yaml(io.StringIO(text)))


def _load_yaml_once(file: Any) -> Any:
    """Parse each text of conf/ once: that took a fifth of the time in which hundreds of runs compose their settings."""
    if not hasattr(file, "read"):
        return _load_yaml(file)
    try:
        return OmegaConf.create(_parsed(file.read()))
    except (YAMLError, OmegaConfBaseException):
        file.seek(0)
        return _load_yaml(file)  # whose error names the file


OmegaConf.load = _load_yaml_once  # type: ignore[method-assign, assignment] # for tests

# No test cuts the power, so none waits for the disk
os.fsync = lambda _: None

# Other work on the machine makes single examples slow; that is no finding
hypothesis.settings.register_profile("batch_nlp", deadline=None, print_blob=True)
hypothesis.settings.load_profile("batch_nlp")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with one file for each project that tests share: while a worker makes it, the other has other tests."""
    needed, first = {item.path: set[str]() for item in items}, dict[str, Path]()
    for item in items:
        for name in {"first_run", "world"} & set(getattr(item, "fixturenames", ())):
            needed[item.path].add(name)
            first.setdefault(name, item.path)
    items.sort(key=lambda item: (item.path not in first.values(), len(needed[item.path])))


def pytest_collection_finish() -> None:
    """Leave what is there by now, which stays to the end, out of garbage collections: they took a tenth of the time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Give it back, or DuckDB's binding would call it a leak."""
    gc.unfreeze()


def _check_here(folder: Path) -> None:
    try:
        check_model(folder)
    except Exception as error:
        raise DataError(f"{folder}: the model does not work in a fresh process: {error}") from error


def _own_files() -> set[Path]:
    return {path for name in ("data", "models") for path in (ROOT / name).rglob("*")}


@pytest.fixture(scope="session", autouse=True)
def _own_files_are_left_alone() -> Iterator[None]:
    """Fail where a test adds to the data or the models of the project itself."""
    before = _own_files()
    yield
    assert not _own_files() - before, "a test, or a job beside the tests, wrote into the project's own folders"


@pytest.fixture(scope="session", autouse=True)
def _models_are_checked_here() -> Iterator[None]:
    """Have models checked in this process: a fresh one takes seconds to import its libraries."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (registry, registry_problems):
            patch.setattr(module, "check_in_fresh_process", _check_here)
        yield


@pytest.fixture
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have models checked as users have: in a fresh process."""
    for module in (registry, registry_problems):
        monkeypatch.setattr(module, "check_in_fresh_process", _IN_FRESH_PROCESS)


def _card_without_figures(facts: dict[str, Any]) -> dict[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(card_pages, "card_charts", lambda _: defaultdict(str))
        return card_pages.card_pages(facts)


@pytest.fixture(scope="session", autouse=True)
def _cards_have_no_figures() -> Iterator[None]:
    """Have trainings in this process leave cards without figures: to draw them takes as long as a small model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_run, "card_pages", _card_without_figures)
        yield


@pytest.fixture
def batches_without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have runs in this process leave pages of batches without charts: to draw them takes as long as to score."""
    for module in (share_chart, trend_charts):
        monkeypatch.setattr(module, "draw_chart", lambda *_, **__: Markup())


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return a function ``once(name, make)`` that makes a folder for the tests of all workers of a parallel run.

    The first worker that asks for it makes it, the others wait; nobody writes to it afterwards.
    """
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def get(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return get


@pytest.fixture(scope="session")
def embedding_cache() -> Path:
    """Return a folder with the distilled static table; it outlives the run, since distilling takes 20 s or more.

    The lock makes the other workers of a parallel run wait for the first one's table.
    """
    folder = ROOT / ".cache" / "embedding"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        create_embedder(default(EmbeddingConfig), folder)
    return folder


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EngineConfig:
    """Return an engine that takes little of the machine."""
    spill = tmp_path_factory.mktemp("engine") / "spill"
    return default(EngineConfig, name="local", threads=1, memory_limit="500MB", temp_directory=str(spill))


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """Return what is logged at level WARNING or above, line by line."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="WARNING")
    yield lines
    logger.remove(sink)


@pytest.fixture(scope="session")
def sample_raw(once: Once) -> Path:
    """Return a folder with the three tables of a generated history of 800 messages; nobody writes to it."""
    return once("sample_raw", lambda folder: write_history(folder, default(SampleConfig, messages=800)))


@cache
def _composed(*overrides: str) -> DictConfig:
    OmegaConf.register_new_resolver("project_root", lambda: str(ROOT), replace=True)
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose("config", overrides=list(overrides))


@pytest.fixture(scope="session")
def make_config(embedding_cache: Path) -> MakeConfig:
    """Return a function ``make_config(folder, *overrides)`` that composes conf/ as the command line does.

    Data and models live in `folder`, the distilled table is at hand there, and one thread is used: tests run side by
    side. Overrides go last, so that any of this can be overridden.
    """

    def make(folder: Path, *overrides: str) -> Config:
        defaults = [f"paths.data={folder / 'data'}", f"paths.models={folder / 'models'}", "engine.threads=1"]
        defaults.append("inference.min_age_seconds=0")
        given = {override.partition("=")[0]: override for override in (*defaults, *overrides)}
        # folders are set afterwards: they are of one test, and to compose takes a third of a second
        composed = _composed(*(re.sub(r"^([^=]+=/).*", r"\1", override) for override in given.values()))
        for key, override in given.items():
            if override.startswith(f"{key}=/"):
                OmegaConf.update(composed, key, override.removeprefix(f"{key}="))
        config = typed_settings(composed)
        cache = Layers(Path(config.paths.data), config.dataset.name).embedding_cache
        cache.mkdir(parents=True, exist_ok=True)
        for table in embedding_cache.glob("*.safetensors"):
            if not (cache / table.name).exists():
                (cache / table.name).symlink_to(table)
        return config

    return make


@dataclass(frozen=True)
class World:
    """A data folder in which features were computed and a first champion was published."""

    config: Config
    layers: Layers
    store: FeatureStore
    registry: Registry
    definition: FeatureDefinition


@pytest.fixture(scope="session")
def world(once: Once, make_config: MakeConfig, sample_raw: Path) -> World:
    """Return the state after features and training on `sample_raw`, with a small model; nobody writes to it."""

    def at(folder: Path) -> World:
        config = make_config(
            folder,
            f"dataset.raw_dir={sample_raw}",
            "model.params.n_estimators=30",
            "training.thresholds.f1_macro=0.3",
            "training.thresholds.f1_weighted=0.3",
            "training.thresholds.recall=0.0",
            "training.min_class_messages=5",
            "training.ngrams.folds=2",
            "training.decision.folds=2",
            "training.promote=true",
        )
        layers = Layers(Path(config.paths.data), config.dataset.name)
        store, registry = FeatureStore(layers.feature_store, config.engine), Registry(Path(config.paths.models))
        return World(config, layers, store, registry, FeatureDefinition.from_config(config))

    def make(folder: Path) -> None:
        new, now = at(folder), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        config, layers, definition = new.config, new.layers, new.definition
        run_feature_pipeline(config, layers, new.store, "run-1", now)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training_run, "card_pages", card_pages.card_pages)  # the tests of the card look at this one
            result = run_training_pipeline(
                config, layers, new.store, new.registry, definition.to_dict(), definition.version, FIELDS, "run-1", now
            )
        assert result.version == "v0001"

    return at(once("world", make))


@pytest.fixture(scope="session")
def champion(world: World) -> Model:
    """Return the model that scores."""
    found = world.registry.champion()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def new_project(embedding_cache: Path) -> Callable[[Path], Project]:
    """Return a function that makes an empty project folder; the distilled table, which takes long, is at hand."""

    def make(folder: Path) -> Project:
        cache = folder / "data" / "04_feature" / "embedding_cache"
        cache.mkdir(parents=True)
        for table in embedding_cache.glob("*.safetensors"):
            (cache / table.name).symlink_to(table)
        return Project(folder)

    return make


@pytest.fixture(scope="session")
def first_run(once: Once, new_project: Callable[[Path], Project]) -> tuple[Project, subprocess.CompletedProcess[str]]:
    """Return a project after its first run of the whole job, and what that run printed; nobody writes to it."""

    def make(folder: Path) -> None:
        result = new_project(folder / "project").run()
        (folder / "result.json").write_text(json.dumps([result.args, result.returncode, result.stdout, result.stderr]))

    folder = once("first_run", make)
    return Project(folder / "project"), subprocess.CompletedProcess(*json.loads((folder / "result.json").read_text()))


@pytest.fixture
def project(tmp_path: Path, first_run: tuple[Project, subprocess.CompletedProcess[str]]) -> Project:
    """Return a copy of the project after its first run."""
    shutil.copytree(first_run[0].folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")
