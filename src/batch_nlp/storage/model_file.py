"""Fitted pipelines on disk: skops, never pickle, and the same bytes for the same model."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_nlp.config.targets import MODEL_TYPES
from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import write_bytes

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# The earliest time of a zip entry
_NO_TIME = (1980, 1, 1, 0, 0, 0)
# What loading can raise if a file is damaged, or was written by other code or another library
_UNREADABLE = (
    *(OSError, EOFError, LookupError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error),
    *(AttributeError, ImportError, TypeError),
)


def _renumber(node: Any, ids: dict[str, str]) -> Any:
    """Replace memory addresses, which skops uses as names, by their order of occurrence."""

    def number(address: Any) -> str:
        return ids.setdefault(str(address), str(len(ids)))

    if isinstance(node, list):
        return [_renumber(item, ids) for item in node]
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__":
            result[key] = int(number(value))
        elif key == "file" and isinstance(value, str):
            stem, dot, ending = value.partition(".")
            result[key] = number(stem) + dot + ending
        else:
            result[key] = _renumber(value, ids)
    return result


def canonical(archive: bytes) -> bytes:
    """Return a skops archive without addresses and times, which differ each time an object is written."""
    ids: dict[str, str] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        schema = _renumber(json.loads(source.read("schema.json")), ids)
        entries = {"schema.json": json.dumps(schema, separators=(",", ":")).encode()}
        for name in source.namelist():
            if name != "schema.json":
                stem, dot, ending = name.partition(".")
                entries[ids[stem] + dot + ending] = source.read(name)
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as target:
        for name in sorted(entries):
            target.writestr(zipfile.ZipInfo(name, _NO_TIME), entries[name], zipfile.ZIP_DEFLATED, compresslevel=6)
    return result.getvalue()


def dump_model(path: Path, model: Pipeline) -> None:
    """Write a fitted pipeline, all or nothing."""
    import skops.io

    write_bytes(path, canonical(skops.io.dumps(model)))


def load_model(path: Path) -> Pipeline:
    """Load a fitted pipeline; raise a `DataError` if the file cannot be read or names an untrusted type."""
    import skops.io
    from sklearn.pipeline import Pipeline
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        # `open_model` warns in one line about models of other library versions
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = skops.io.load(path, trusted=list(MODEL_TYPES))
    except UntrustedTypesFoundException as error:
        raise DataError(f"{path}: refused, because it names types that our models never contain: {error}") from error
    except _UNREADABLE as error:
        raise DataError(f"{path}: not a readable model ({type(error).__name__}: {error}).") from error
    if not isinstance(model, Pipeline):
        raise DataError(f"{path}: holds a {type(model).__name__}, not a pipeline.")
    return model
