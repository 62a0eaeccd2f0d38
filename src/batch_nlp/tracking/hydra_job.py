"""What Hydra knows of the job that is running: its log, its overrides and the multirun that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf


@dataclass(frozen=True)
class HydraJob:
    """The job that is running."""

    # Where it keeps its settings and its log
    folder: Path
    # Folder of the multirun that it belongs to; None for a single run
    sweep: Path | None
    # Settings that its command line gave, without those that say where things are
    overrides: list[str]

    @property
    def log(self) -> Path:
        """Its log file."""
        return self.folder / "run.log"

    @property
    def sweep_name(self) -> str:
        """Name of its multirun, which is that of its folder."""
        return self.sweep.name if self.sweep else ""


# Where things are says nothing about a model, and an address may hold what concerns nobody else
_PLACES = ("paths.", "dataset.raw_dir", "inference.inbox", "tracking", "hydra.", "hydra/")


def current_job() -> HydraJob | None:
    """Return the job that is running, None outside of Hydra."""
    if not HydraConfig.initialized():
        return None
    settings = HydraConfig.get()
    # a job that a test or a notebook set up by hand may have no folder
    if OmegaConf.is_missing(settings.runtime, "output_dir"):
        return None
    multirun = settings.mode == RunMode.MULTIRUN
    overrides = [text for text in settings.overrides.task if not text.lstrip("+~").startswith(_PLACES)]
    sweep = Path(settings.sweep.dir).absolute() if multirun else None
    return HydraJob(Path(settings.runtime.output_dir), sweep, overrides)


def forget(secrets: list[str]) -> None:
    """Overwrite what must not be kept in the files that Hydra and the log have written for the running job."""
    job = current_job()
    if job is None:
        return
    files = [*(job.folder / ".hydra").glob("*.yaml"), job.log]
    if job.sweep:
        files.append(job.sweep / "multirun.yaml")
    for file in files:
        if not file.is_file():
            continue
        text = cleaned = file.read_text()
        for secret in secrets:
            cleaned = cleaned.replace(secret, "***")
        if cleaned != text:
            file.write_text(cleaned)  # in place: the log is open, and goes on at its end
