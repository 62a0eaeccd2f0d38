"""What is wrong with a feature store: damaged files, impossible rows, and what no run uses."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable

from batch_nlp.errors import count, examples
from batch_nlp.storage.delta_files import LOG, data_files, is_table, log_files, log_version
from batch_nlp.storage.delta_table import advice
from batch_nlp.storage.feature_store import FEATURES, FeatureStore
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.problem import UNREADABLE, Problem, Severity
from batch_nlp.storage.sql import connect

# Names of data files and log entries before their commit; an object store stages local files as name, # and number
_STAGED_ROWS = re.compile(r".+\.parquet(#\d+)?")
_STAGED_COMMIT = re.compile(r"_commit_.+\.tmp|.+#\d+")


def problems(store: FeatureStore, classes: Collection[str] | None, used: Collection[str] | None) -> list[Problem]:
    """Return what is wrong with a feature store.

    `classes` are the labels that may occur, None if any may; `used` the feature versions that the settings or a kept
    model use, None if that is not known.
    """
    found = store.problems()
    for table in store.tables():
        if any(problem.path.is_relative_to(table) for problem in found) or not is_table(table):
            continue  # no file of a damaged table is known to be an orphan
        found += _orphans(table)
        try:
            with connect(store.engine) as connection:
                connection.register("rows", DeltaTable(str(table)).to_pyarrow_dataset())
                found += _rows(connection, table, classes)
        except UNREADABLE as error:
            found.append(Problem(table, f"cannot be read ({error})", advice(table)))
    return [*found, *_unused(store, used)]


def _rows(connection: duckdb.DuckDBPyConnection, table: Path, classes: Collection[str] | None) -> Iterator[Problem]:
    if table.name.startswith(FEATURES):
        ((repeated, example),) = connection.execute(
            """
            SELECT count(*), min(message_id)
            FROM (SELECT message_id FROM rows GROUP BY message_id HAVING count(*) > 1)
            """
        ).fetchall()
        if repeated:
            what = f"{count(repeated, 'message')} stored more than once, such as {example}"
            yield Problem(table, what, f"This is a bug: please report it. {advice(table)}")
    elif classes is not None:
        targets = connection.execute("SELECT target, count(*) FROM rows GROUP BY target ORDER BY target").fetchall()
        unknown = {target: number for target, number in targets if target not in classes}
        if unknown:
            what = f"{count(sum(unknown.values()), 'label')} not in dataset.label.classes: {examples(unknown)}"
            action = "Add them there, set dataset.label.rare, or return to the settings that accepted them."
            yield Problem(table, what, action)


def _orphans(table: Path) -> Iterator[Problem]:
    """Find files that a killed run wrote but never committed; no reader sees them."""
    named = _named_files(table)
    rows = [path for path in table.glob("*") if _STAGED_ROWS.fullmatch(path.name) and path.name not in named]
    commits = [path for path in (table / LOG).glob("*") if _STAGED_COMMIT.fullmatch(path.name)]
    for path in sorted(rows + commits):
        if path.is_file():
            what = f"{path.stat().st_size:,} bytes in no version of the table: a run was killed before its commit"
            action = "Nothing: the file only takes up space. verify.repair=true puts it aside."
            repair = partial(Orphans.take, path=path)
            yield Problem(path, what, action, Severity.WARNING, repair, transient=True)


def _named_files(table: Path) -> set[str]:
    """Return the names of the files that any version of a table has, or had."""
    named = set(data_files(DeltaTable(str(table))))
    # versions whose log entries are gone
    for path in log_files(table):
        if path.endswith(".parquet"):
            named.update(data_files(DeltaTable(str(table), version=log_version(path))))
    for log in (table / LOG).glob("*.json"):
        with log.open("rb") as lines:
            for line in lines:
                action: dict[str, Any] = json.loads(line)
                named |= {Path(str(action[kind]["path"])).name for kind in ("add", "remove") if kind in action}
    return named


def _unused(store: FeatureStore, used: Collection[str] | None) -> Iterator[Problem]:
    for table in store.tables():
        if used is not None and table.name.startswith(FEATURES) and table.name.removeprefix(FEATURES) not in used:
            taken = sum(path.stat().st_size for path in table.rglob("*") if path.is_file())
            what = f"{taken:,} bytes of features that neither these settings nor a kept model use"
            action = "Remove the folder if none of your settings use this version; it can be computed again."
            yield Problem(table, what, action, Severity.WARNING)
