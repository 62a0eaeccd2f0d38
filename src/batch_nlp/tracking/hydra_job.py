"""What Hydra knows about the running job: its log, its overrides and its multirun."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf


@dataclass(frozen=True)
class HydraJob:
    """The running job."""

    # Folder of its settings and log
    folder: Path
    # Folder of its multirun; None for a single run
    sweep: Path | None
    # Settings on its command line, without paths and addresses
    overrides: list[str]

    @property
    def log(self) -> Path:
        """Path of the log file."""
        return self.folder / "run.log"


# Paths and addresses say nothing about a model, and may be confidential
_PLACES = ("paths.", "dataset.raw_dir", "inference.inbox", "tracking", "hydra.", "hydra/")


def current_job() -> HydraJob | None:
    """Return the running job, None outside of Hydra."""
    if not HydraConfig.initialized():
        return None
    settings = HydraConfig.get()
    # a job set up by hand, in a test or a notebook, may have no folder
    if OmegaConf.is_missing(settings.runtime, "output_dir"):
        return None
    multirun = settings.mode == RunMode.MULTIRUN
    overrides = [text for text in settings.overrides.task if not text.lstrip("+~").startswith(_PLACES)]
    sweep = Path(settings.sweep.dir).absolute() if multirun else None
    return HydraJob(Path(settings.runtime.output_dir), sweep, overrides)
