"""Check the source columns that are copied to the predictions: their names, and whether the files have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from batch_nlp.config import MessagesConfig
from batch_nlp.dataset.message_columns import text_form
from batch_nlp.errors import DataError, SettingsError, did_you_mean, examples
from batch_nlp.inference.predict import OWN_COLUMNS, PROBABILITY
from batch_nlp.storage.quarantine import SOURCE_FILE, SOURCE_LINE
from batch_nlp.storage.raw.column_checks import column_names, first_rows

_KEY = "inference.output.keep"


def check_kept_names(keep: Sequence[str]) -> None:
    """Raise a `SettingsError` for columns whose names clash with those of predictions."""
    taken = {*OWN_COLUMNS, SOURCE_FILE, SOURCE_LINE}
    own = [name for name in keep if name.casefold() in taken or name.casefold().startswith(PROBABILITY)]
    if own:
        raise SettingsError(
            f"{_KEY}: the names {examples(own)} are reserved for columns of predictions. Remove them here, or "
            "rename the columns in the source."
        )
    # some readers of parquet and CSV ignore the case of names
    counts = Counter(name.casefold() for name in keep)
    if twice := [name for name in keep if counts[name.casefold()] > 1]:
        raise SettingsError(f"{_KEY}: duplicate columns: {examples(twice)}. Keep one of each.")


def check_kept_in_files(keep: Sequence[str], files: Sequence[Path], declared: MessagesConfig) -> None:
    """Raise a `DataError` for columns that are missing from all files of a batch, before any file is scored.

    Files without rows do not count.
    """
    present: set[str] = set()
    for file in files:
        if present.issuperset(keep):
            return
        present |= column_names(first_rows(file, declared.rows, text_form(declared)))
    missing = [name for name in keep if name not in present]
    if missing and present:
        hints = " ".join(did_you_mean(name, map(str, present)) for name in missing[:1])
        raise DataError(
            f"{_KEY}: column(s) {examples(missing)} are missing from the first rows of all files of the batch, such as "
            f"{files[0]}. {hints} Correct the names or remove them. Nothing was scored."
        )
