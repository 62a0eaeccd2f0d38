"""The source columns that predictions carry: which names they may have, and whether the files have them."""

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
    """Refuse columns that predictions cannot carry under their names, before any work.

    Raises
    ------
    SettingsError
    """
    taken = {*OWN_COLUMNS, SOURCE_FILE, SOURCE_LINE}
    own = [name for name in keep if name.casefold() in taken or name.casefold().startswith(PROBABILITY)]
    if own:
        raise SettingsError(
            f"{_KEY}: predictions have columns of their own called {examples(own)}, or like it. Leave them out, or "
            "rename the columns in the source."
        )
    # readers of parquet and CSV take names that differ in case alone for one
    counts = Counter(name.casefold() for name in keep)
    if twice := [name for name in keep if counts[name.casefold()] > 1]:
        raise SettingsError(f"{_KEY}: names a column more than once: {examples(twice)}. Leave all but one out.")


def check_kept_in_files(keep: Sequence[str], files: Sequence[Path], declared: MessagesConfig) -> None:
    """Refuse columns that none of the files has, before any of them is scored.

    Parameters
    ----------
    keep : sequence of str
        Source columns that predictions are to carry.
    files : sequence of Path
        Of the batch. Files without rows have no columns, and nothing to refuse.
    declared : MessagesConfig
        How their rows are read.

    Raises
    ------
    DataError
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
            f"{_KEY}: no file of the batch has column(s) {examples(missing)} in its first rows (such as {files[0]}). "
            f"{hints} Name columns that the files have, or leave them out. Nothing was scored."
        )
