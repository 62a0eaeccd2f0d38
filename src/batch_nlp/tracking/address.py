"""The address of the tracking server or database, and checks of its settings before any work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from batch_nlp.config import Config, TrackingBackend
from batch_nlp.config.safety import check_address
from batch_nlp.errors import SettingsError, did_you_mean
from batch_nlp.storage.layers import Layers

SERVERS, DATABASES = ("http", "https"), ("sqlite", "postgresql", "mysql", "mssql")
_EXTRA = "Install it with: uv sync --extra mlflow"
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*(?=@)")


@dataclass(frozen=True)
class Address:
    """Where runs are tracked."""

    # Server or database, in MLflow's notation
    uri: str
    # File of a SQLite database; None for others
    database: Path | None
    # Folder for artefacts; None if the server stores them itself
    artefacts: Path | None


def address_of(config: Config) -> Address:
    """Return where runs are tracked: by default, in a database in the data folder."""
    folder = Layers(Path(config.paths.data), config.dataset.name).reporting.resolve() / "mlflow"
    uri = config.tracking.uri or f"sqlite:///{folder / 'mlflow.db'}"
    scheme = _scheme(uri)
    if scheme in SERVERS:
        return Address(uri, None, None)
    if scheme == "sqlite":
        database = Path(uri.partition(":///")[2].partition("?")[0]).absolute()
        return Address(uri, database, database.parent / "artifacts")
    return Address(uri, None, folder / "artifacts")


def model_name(config: Config, dataset: str | None = None) -> str:
    """Return the name under which models of a dataset are registered.

    The name begins with that of the experiment, so that projects with different experiments can share a server.
    """
    return f"{config.tracking.experiment}-{dataset or config.dataset.name}"


def masked(text: str) -> str:
    """Return a text with the credentials of addresses masked.

    Examples
    --------
    >>> masked("postgresql://me:secret@db.example/runs is down")
    'postgresql://***@db.example/runs is down'
    """
    return _CREDENTIALS.sub("***", text)


def check_tracking(config: Config) -> None:
    """Raise a `SettingsError` if the extra is missing, or the address is of an unknown kind or has credentials."""
    if config.tracking.backend is TrackingBackend.none:
        return
    uri = config.tracking.uri
    scheme = _scheme(uri) if uri is not None else "sqlite"
    if uri is not None:
        check_address(uri)
        if scheme not in (*SERVERS, *DATABASES):
            raise SettingsError(
                f"tracking.uri={masked(uri)}: not the address of a tracking server or database. Examples: "
                f"http://localhost:5000, sqlite:////folder/mlflow.db. {did_you_mean(scheme, (*SERVERS, *DATABASES))}"
            )
    if scheme == "sqlite" and uri is not None and not uri.partition(":///")[2].partition("?")[0]:
        raise SettingsError(f"tracking.uri={uri}: without a file. Write sqlite:/// and then the path of the database.")
    needed = ["mlflow"] if scheme in SERVERS else ["mlflow", "sqlalchemy"]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise SettingsError(f"tracking=mlflow: the package {' and '.join(missing)} is not installed. {_EXTRA}")


def _scheme(uri: str) -> str:
    """Return the kind of an address without its driver: of ``postgresql+psycopg``, postgresql."""
    return uri.partition(":")[0].partition("+")[0].lower() if ":" in uri else ""
