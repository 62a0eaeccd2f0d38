"""The connection to MLflow: quiet, without telemetry, and with a local database that is complete or absent."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

from batch_nlp.tracking.address import Address

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # with the defaults, a server that is down delays a run by minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


@contextmanager
def quietly() -> Iterator[None]:
    """Keep MLflow and its libraries from writing to the terminal; errors are raised as exceptions."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import_module("mlflow")  # the first import sets up its loggers
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic", "sqlalchemy", "urllib3")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def one_at_a_time(file: Path) -> Iterator[None]:
    """Hold a lock on a file; the kernel releases the lock if the process is killed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def connect(address: Address, experiment: str) -> tuple[Any, str]:
    """Return a client and the id of the experiment, which is created if necessary; raise MLflow's own errors."""
    database, location = address.database, str(address.artefacts) if address.artefacts else None
    with one_at_a_time(database.with_name(f".{database.name}.lock")) if database else nullcontext():
        if database:
            _make_database(database, location)
        client = import_module("mlflow").MlflowClient(tracking_uri=address.uri, registry_uri=address.uri)
        found = client.get_experiment_by_name(experiment)
        if found is None:
            try:
                return client, str(client.create_experiment(experiment, location))
            except import_module("mlflow.exceptions").MlflowException:
                found = client.get_experiment_by_name(experiment)  # created by another job in the meantime
                if found is None:
                    raise
        return client, str(found.experiment_id)


def _make_database(database: Path, location: str | None) -> None:
    """Create the database under a temporary name: if its migrations are killed halfway, it can never be opened."""
    if database.exists():
        # fail at once: MLflow retries a damaged file for minutes
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA schema_version")
        return
    new = database.with_name(f".{database.name}.new")
    new.unlink(missing_ok=True)
    store = import_module("mlflow.store.tracking.sqlalchemy_store").SqlAlchemyStore(f"sqlite:///{new}", location)
    store.engine.dispose()
    os.replace(new, database)
