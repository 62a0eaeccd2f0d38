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
from batch_nlp.dataset.side_tables import file_identity
from batch_nlp.errors import DataError, examples
from batch_nlp.monitoring.status import size
from batch_nlp.runner.context import Run
from batch_nlp.runner.verify.finding import UNREADABLE, Finding, Part, Severity, count, file_and_problem, set_aside
from batch_nlp.storage.registry import read_manifest
from batch_nlp.storage.sealed_files import problems as sealed_problems
from batch_nlp.storage.sealed_json import read_sealed
from batch_nlp.storage.tables import connect

_NAME = "store"
_FEATURES, _SOURCES = "features-", "sources-"
# what a commit is written under before it gets its name; `#` and a number: the object store's staging of a local file
_STAGED_ROWS = re.compile(r".+\.parquet(#\d+)?")
_STAGED_COMMIT = re.compile(r"_commit_.+\.tmp|.+#\d+")
_AGAIN = "Restore it from a backup; or remove the folder of the table, and run pipeline=feature on the raw files again"


def check_store(run: Run) -> Part:
    """Check the Delta tables of the dataset, what they hold, and what lies beside them."""
    folder = run.store.folder
    found = [Finding(_NAME, *file_and_problem(told, folder), _AGAIN) for told in run.store.problems()]
    tables = [path for path in sorted(folder.glob("[!.]*")) if path.is_dir()]
    rows = {}
    for table in tables:
        found += _orphans(run, table)
        if _damaged(found, table) or not DeltaTable.is_deltatable(str(table)):
            continue
        try:
            rows[table.name], problems = _rows(run, table)
        except UNREADABLE as error:
            problems = [Finding(_NAME, table, f"cannot be read ({error})", _AGAIN)]
        found += problems
    found += _unused(run, tables)
    found += _side_tables(run)
    sources, gone, problems = _sources(run)
    return Part(
        _NAME,
        f"{count(len(rows), 'table')}, {count(_messages(rows), 'message')}, {count(rows.get('labels', 0), 'label')}, "
        f"{count(sources, 'raw file')} taken in" + (f" ({gone:,} of them gone or changed since)" if gone else ""),
        found + problems,
    )


def _damaged(findings: list[Finding], table: Path) -> bool:
    """Say whether a finding names a file of the table: reading its rows would tell of nothing else."""
    return any(finding.path.is_relative_to(table) and not finding.passing for finding in findings)


def _messages(rows: dict[str, int]) -> int:
    return sum(number for name, number in rows.items() if name.startswith(_FEATURES))


def _rows(run: Run, table: Path) -> tuple[int, list[Finding]]:
    """Return the number of rows of a table, and what is wrong with them."""
    with connect(run.config.engine) as connection:
        connection.register("rows", DeltaTable(str(table)).to_pyarrow_dataset())
        if table.name.startswith(_FEATURES):
            return _messages_once(connection, table)
        total = connection.execute("SELECT count(*) FROM rows").fetchone()
        allowed = Labels(run.config.dataset.label).allowed
        targets = connection.execute("SELECT target, count(*) FROM rows GROUP BY target ORDER BY target").fetchall()
    unknown = {target: number for target, number in targets if allowed is not None and target not in allowed}
    if not unknown:
        return int(total[0]) if total else 0, []
    problem = f"{count(sum(unknown.values()), 'label')} that dataset.label.classes does not name: {examples(unknown)}"
    action = "Name them there, set dataset.label.rare, or go back to the settings that took them in"
    return int(total[0]) if total else 0, [Finding(_NAME, table, problem, action)]


def _messages_once(connection: duckdb.DuckDBPyConnection, table: Path) -> tuple[int, list[Finding]]:
    row = connection.execute(
        """
        SELECT coalesce(sum(n), 0), count(*) FILTER (n > 1), min(message_id) FILTER (n > 1)
        FROM (SELECT message_id, count(*) AS n FROM rows GROUP BY message_id)
        """
    ).fetchone()
    total, repeated, example = row or (0, 0, None)
    if not repeated:
        return int(total), []
    problem = f"{count(repeated, 'message')} stored more than once, {example} among them"
    return int(total), [Finding(_NAME, table, problem, f"A bug: please report it. {_AGAIN}")]


def _orphans(run: Run, table: Path) -> list[Finding]:
    """Find files that a killed run wrote and never committed; no reader sees them."""
    try:
        named = _named_files(table)
    except UNREADABLE:  # told by the store's own check; until then nothing of the table is an orphan
        return []
    rows = [path for path in table.glob("*") if _STAGED_ROWS.fullmatch(path.name) and path.name not in named]
    commits = [path for path in (table / "_delta_log").glob("*") if _STAGED_COMMIT.fullmatch(path.name)]
    return [
        Finding(
            _NAME,
            path,
            f"{size(path.stat().st_size)} that no version of the table names: a run was killed before its commit",
            "It is invisible and only takes room; verify.repair=true puts it aside",
            Severity.WARNING,
            partial(set_aside, run, path),
            passing=True,
        )
        for path in sorted(rows + commits)
        if path.is_file()
    ]


def _named_files(table: Path) -> set[str]:
    """Return the names of the files that any version of a table has, or had."""
    if not DeltaTable.is_deltatable(str(table)):
        return set()
    named = {Path(uri).name for uri in DeltaTable(str(table)).file_uris()}
    for log in (table / "_delta_log").glob("*.json"):
        with log.open("rb") as lines:
            for line in lines:
                action: dict[str, Any] = json.loads(line)
                for kind in ("add", "remove"):
                    if kind in action:
                        named.add(Path(str(action[kind]["path"])).name)
    return named


def _unused(run: Run, tables: list[Path]) -> list[Finding]:
    """Find features of versions that neither the settings nor a kept model use."""
    used = {run.definition.version}
    for version in run.registry.versions():
        try:
            used.add(read_manifest(run.registry.root / version)["data_version"]["feature_version"])
        except (DataError, KeyError, TypeError):
            return []  # which features that version needs is not known
    return [
        Finding(
            _NAME,
            table,
            f"{size(sum(path.stat().st_size for path in table.rglob('*') if path.is_file()))} of features that "
            "neither the settings of this call nor a kept model use",
            "Remove the folder if no settings of yours ask for this version; it can be computed again",
            Severity.WARNING,
        )
        for table in tables
        if table.name.startswith(_FEATURES) and table.name.removeprefix(_FEATURES) not in used
    ]


def _side_tables(run: Run) -> list[Finding]:
    """Find damaged tables of users and businesses; one that is gone is made again."""
    folder = run.layers.intermediate
    told = (file_and_problem(problem, folder) for problem in sealed_problems(folder))
    action = "Nothing while its raw files are there: the next run that needs it makes it again"
    return [Finding(_NAME, path, problem, action, Severity.WARNING) for path, problem in told if path.exists()]


def _sources(run: Run) -> tuple[int, int, list[Finding]]:
    """Return how many raw files the store took in, how many of them are no longer there, and what is wrong."""
    there = {file_identity(path) for path in Path(run.config.dataset.raw_dir).glob("*") if path.is_file()}
    taken: set[str] = set()
    findings = []
    for path in sorted(run.store.folder.glob(f"{_SOURCES}*.json")):
        try:
            taken.update(map(str, read_sealed(path, "", unsealed=True)["files"]))
        except UNREADABLE as error:
            action = "Remove it: the raw files are read again, and nothing that the store holds enters twice"
            findings.append(Finding(_NAME, *file_and_problem(str(error).strip(), path), action))
    return len(taken), len(taken - there), findings
