"""Data and models in a folder of their own, and the real command line on them."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from loguru import logger

from batch_nlp import cli
from batch_nlp.cli import PROJECT_ROOT

# Those that come with the project: a clone has its user's own beside them
DATASETS = ("airline_tweets", "complaints", "products", "sample", "support_tweets", "yelp")
# a small sample and a quick model: what is shown here is how the parts work together, not how good a model can be
QUICK = (
    "sample.messages=1500",
    "sample.batch_messages=300",
    # the model of more messages
    "model=xgboost",
    "model.params.n_estimators=40",
    "training.thresholds.f1_macro=0.4",
    "training.thresholds.recall=0.1",
    "training.ngrams.folds=2",
    "training.decision.folds=2",
    "engine.threads=1",
    "inference.min_age_seconds=0",
)
# A candidate for tests that ask what is done with one: it takes a third of the time to train, and low bars let it pass
LIGHT = (
    "training.inputs=[tabular]",
    "training.decision.calibration=none",
    "training.decision.metric=null",
    "training.thresholds.f1_macro=0.1",
    "training.thresholds.f1_weighted=0.1",
    "training.thresholds.recall=0.0",
)


def forget_handlers() -> None:
    """Take away the handlers that Hydra leaves in this process: they write to the streams of a run that has ended."""
    for log in (logging.getLogger(), logging.getLogger("hydra")):
        log.handlers = [handler for handler in log.handlers if type(handler) is not logging.StreamHandler]


@dataclass(frozen=True)
class Project:
    """Data and models in a folder of their own, and the command line on them."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def raw(self) -> Path:
        """The raw files of the dataset yelp."""
        return self.data / "01_raw" / "yelp"

    @property
    def inbox(self) -> Path:
        return self.data / "09_inference" / "inbox"

    def shown(self, path: Path) -> str:
        """Return a path as the terminal shows it: relative to the folder that the command line runs in."""
        return str(path.relative_to(self.folder))

    def arguments(self, *overrides: str) -> list[str]:
        return [f"paths.data={self.data}", f"paths.models={self.models}", *QUICK, *overrides]

    def run(self, *overrides: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the real command line in a process of its own."""
        command = [sys.executable, str(PROJECT_ROOT / "start_batch_nlp.py"), *self.arguments(*overrides)]
        environment = {**os.environ, "COLUMNS": "160"}
        return subprocess.run(
            command, cwd=cwd or self.folder, capture_output=True, text=True, env=environment, check=False
        )

    def here(self, *overrides: str) -> subprocess.CompletedProcess[str]:
        """Run the real command line in this process: it saves the seconds in which a new one imports its libraries."""
        return self.here_as_written(*self.arguments(*overrides))

    def here_as_written(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the real command line in this process with these arguments and no others."""
        command = ["start_batch_nlp.py", *arguments]
        out, err = io.StringIO(), io.StringIO()
        forget_handlers()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", list(command))
            patch.chdir(self.folder)
            code = cli.main()
            logger.remove()  # closes the run's log, as the end of a process does
        forget_handlers()
        return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())

    def start(self, *overrides: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Start the real command line and return at once; it is the leader of a process group of its own.

        What it writes to stderr goes to the file `log`, or nowhere.
        """
        command = [sys.executable, str(PROJECT_ROOT / "start_batch_nlp.py"), *self.arguments(*overrides)]
        with (log or Path(os.devnull)).open("wb") as stderr:
            return subprocess.Popen(
                command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
            )
