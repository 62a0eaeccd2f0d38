"""Checks of the feature store."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable

from batch_nlp.dataset.labels import Labels
from batch_nlp.errors import DataError, count, examples
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.status_screen import size
from batch_nlp.runner.verify.finding import UNREADABLE, Part, file_and_problem, set_aside
from batch_nlp.storage.delta_files import data_files, log_files, log_version
from batch_nlp.storage.feature_store import FILES_ADVICE
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.raw.file_list import count_taken_in
from batch_nlp.storage.sealed_files import problems as sealed_problems
from batch_nlp.storage.tables import connect

_FEATURES = "features-"
# what a commit is written under before it gets its name; `#` and a number: the object store's staging of a local file
_STAGED_ROWS = re.compile(r".+\.parquet(#\d+)?")
_STAGED_COMMIT = re.compile(r"_commit_.+\.tmp|.+#\d+")
_AGAIN = "Restore it from a backup; or remove the folder of the table, and run pipeline=feature on the raw files again"


def check_store(run: RunContext, part: Part) -> str:
    """Check the Delta tables of the dataset, what they hold, and what lies beside them."""
    folder = run.store.folder
    for told in run.store.problems():
        path, problem = file_and_problem(told, folder)
        is_list = path.parent == folder and path.suffix == ".json"
        part.error(path, problem, FILES_ADVICE if is_list else _AGAIN)
    tables = [path for path in sorted(folder.glob("[!.]*")) if path.is_dir()]
    rows = {}
    for table in tables:
        _find_orphans(run, table, part)
        # reading the rows of a table with a damaged file would tell of nothing else
        damaged = any(found.path.is_relative_to(table) and not found.passing for found in part.findings)
        if damaged or not DeltaTable.is_deltatable(str(table)):
            continue
        try:
            rows[table.name] = _check_rows(run, table, part)
        except UNREADABLE as error:
            part.error(table, f"cannot be read ({error})", _AGAIN)
    _find_unused(run, tables, part)
    _check_side_tables(run, part)
    messages = sum(number for name, number in rows.items() if name.startswith(_FEATURES))
    taken, gone = _raw_files(run)
    return (
        f"{count(len(rows), 'table')}, {count(messages, 'message')}, {count(rows.get('labels', 0), 'label')}, "
        f"{count(taken, 'raw file')} taken in" + (f" ({gone:,} of them gone or changed since)" if gone else "")
    )


def _check_rows(run: RunContext, table: Path, part: Part) -> int:
    """Return the number of rows of a table after checking what is in them."""
    with connect(run.config.engine) as connection:
        connection.register("rows", DeltaTable(str(table)).to_pyarrow_dataset())
        if table.name.startswith(_FEATURES):
            return _messages_once(connection, table, part)
        targets = connection.execute("SELECT target, count(*) FROM rows GROUP BY target ORDER BY target").fetchall()
    allowed = Labels(run.config.dataset.label).allowed
    unknown = {target: number for target, number in targets if allowed is not None and target not in allowed}
    if unknown:
        labels = count(sum(unknown.values()), "label")
        problem = f"{labels} that dataset.label.classes does not name: {examples(unknown)}"
        action = "Name them there, set dataset.label.rare, or go back to the settings that took them in"
        part.error(table, problem, action)
    return sum(number for _, number in targets)


def _messages_once(connection: duckdb.DuckDBPyConnection, table: Path, part: Part) -> int:
    ((total, repeated, example),) = connection.execute(
        """
        SELECT coalesce(sum(n), 0)::BIGINT, count(*) FILTER (n > 1), min(message_id) FILTER (n > 1)
        FROM (SELECT message_id, count(*) AS n FROM rows GROUP BY message_id)
        """
    ).fetchall()
    if repeated:
        problem = f"{count(repeated, 'message')} stored more than once, {example} among them"
        part.error(table, problem, f"A bug: please report it. {_AGAIN}")
    return int(total)


def _find_orphans(run: RunContext, table: Path, part: Part) -> None:
    """Find files that a killed run wrote and never committed; no reader sees them."""
    try:
        named = _named_files(table)
    except UNREADABLE:  # told by the store's own check; until then nothing of the table is an orphan
        return
    rows = [path for path in table.glob("*") if _STAGED_ROWS.fullmatch(path.name) and path.name not in named]
    commits = [path for path in (table / "_delta_log").glob("*") if _STAGED_COMMIT.fullmatch(path.name)]
    for path in sorted(rows + commits):
        if path.is_file():
            taken = size(path.stat().st_size)
            problem = f"{taken} that no version of the table names: a run was killed before its commit"
            action = "It is invisible and only takes room; verify.repair=true puts it aside"
            part.warn(path, problem, action, partial(set_aside, run, path), passing=True)


def _named_files(table: Path) -> set[str]:
    """Return the names of the files that any version of a table has, or had."""
    if not DeltaTable.is_deltatable(str(table)):
        return set()
    named = set(data_files(DeltaTable(str(table))))
    # versions of which nothing else is left in the log
    for path in log_files(table):
        if path.endswith(".parquet"):
            named.update(data_files(DeltaTable(str(table), version=log_version(path))))
    for log in (table / "_delta_log").glob("*.json"):
        with log.open("rb") as lines:
            for line in lines:
                action: dict[str, Any] = json.loads(line)
                for kind in ("add", "remove"):
                    if kind in action:
                        named.add(Path(str(action[kind]["path"])).name)
    return named


def _find_unused(run: RunContext, tables: list[Path], part: Part) -> None:
    """Find features of versions that neither the settings nor a kept model use."""
    used = {run.definition.version}
    for version in run.registry.versions():
        try:
            used.add(read_manifest(run.registry.root / version)["data_version"]["feature_version"])
        except (DataError, KeyError, TypeError):
            return  # which features that version needs is not known
    for table in tables:
        if table.name.startswith(_FEATURES) and table.name.removeprefix(_FEATURES) not in used:
            taken = size(sum(path.stat().st_size for path in table.rglob("*") if path.is_file()))
            problem = f"{taken} of features that neither the settings of this call nor a kept model use"
            action = "Remove the folder if no settings of yours ask for this version; it can be computed again"
            part.warn(table, problem, action)


def _check_side_tables(run: RunContext, part: Part) -> None:
    """Find damaged tables of users and businesses; one that is gone is made again."""
    action = "Nothing while its raw files are there: the next run that needs it makes it again"
    for told in sealed_problems(run.layers.intermediate):
        path, problem = file_and_problem(told, run.layers.intermediate)
        if path.exists():
            part.warn(path, problem, action)


def _raw_files(run: RunContext) -> tuple[int, int]:
    """Return how many raw files the store took in, and how many of them are gone or have changed since."""
    try:
        return count_taken_in(run.store.folder)
    except DataError:  # told by the store's own check
        return 0, 0
