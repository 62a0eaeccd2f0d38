"""The stage `status`: the state of the system on one screen. It takes no lock, never waits, and writes nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.filesize import decimal as size
from rich.text import Text

from batch_nlp.dataset.drop_folders import check_inbox, unread_in_inbox, unread_in_raw_dir, unusable_in_raw_dir
from batch_nlp.dataset.side_tables import side_table_files, unusable_side_tables
from batch_nlp.errors import BatchNlpError, DataError, ExitCode, FilesSetAsideError, count, examples, printable
from batch_nlp.inference.batch_records import BatchState
from batch_nlp.log import ending_of
from batch_nlp.monitoring.breaker import breaker_state
from batch_nlp.monitoring.verdict_terminal import COLOURS
from batch_nlp.progress import age
from batch_nlp.runner.champion import check_version, rollback_hint
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.input_schema import unread_by_champion
from batch_nlp.runner.places import check_places
from batch_nlp.runner.screen import Screen
from batch_nlp.storage.lock import lock_holder
from batch_nlp.storage.raw.set_aside import SetAside
from batch_nlp.storage.seal import read_sealed
from batch_nlp.storage.state_format import check_sound

_RECENT = 5
_SEE_BELOW = "cannot be read, see below"
# Number of logs to search for one that has ended, and characters to show of its error
_LOGS, _ERROR_CHARS = 20, 200
_EXIT = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d):\d\d [+-]\d{4} \| run-batch \d+ \| exit code (\d+) after", re.MULTILINE
)


def report_status(run: RunContext) -> None:
    """Print the state of the system.

    At the end, raise a `DataError` if data or models are not where they should be, or if the champion, a side table or
    a new file is unusable.
    """
    left_out: list[SetAside] = []
    recent: list[Text] = []
    looks: dict[str, Callable[[], str | None]] = {
        "places": lambda: check_places(run.config),
        "format": lambda: _format(run),
        "champion": lambda: _champion(run),
        "breaker": lambda: ": ".join(breaker_state(run.decisions.read(), run.config.dataset.name)),
        "at work": lambda: _at_work(run),
        "inbox": lambda: _inbox(run, left_out),
        "set aside": lambda: _set_aside(run, left_out),
        "side tables": lambda: _side_tables(run),
        "not read": lambda: " ".join(unread_in_inbox(run.config) + unread_in_raw_dir(run.config)) or None,
        "quarantine": lambda: _quarantine(run),
        "store": lambda: _store(run),
        "disk": lambda: _disk(run.layers.root),
        "exit codes": lambda: _exit_codes(run.layers.reporting),
        "last run": lambda: _last_run(run.layers.runs),
        "batches": lambda: recent.extend(_recent(run)),
    }
    screen = Screen(run.config.dataset.name, run.now)
    problems: dict[str, str] = {}
    for name, look in looks.items():
        try:
            value = look()
        except BatchNlpError as error:
            value, problems[name] = _SEE_BELOW, str(error)
        except Exception as error:  # noqa: BLE001 the screen must show whatever is broken
            value, problems[name] = _SEE_BELOW, f"{name} cannot be read ({type(error).__name__}: {error})"
        if value is not None:
            screen.fact(name, value)
    screen.add(*recent)
    # a damaged record affects several facts
    for problem in dict.fromkeys([*problems.values(), *(file.problem for file in left_out[:_RECENT])]):
        screen.add(Text())
        screen.paragraph(problem, "red", "! ")
    screen.show()
    if misplaced := problems.get("places") or problems.get("format"):
        raise DataError(misplaced)
    if unusable := problems.get("champion"):
        raise DataError(f"The champion cannot be used: {unusable}")
    if side_tables := problems.get("side tables"):
        raise DataError(side_tables)
    if left_out:
        raise FilesSetAsideError([file.name for file in left_out])


def _format(run: RunContext) -> None:
    for folder in (run.layers.root, run.registry.root):
        check_sound(folder)


def _champion(run: RunContext) -> str:
    registry = run.registry
    version = registry.champion_version()
    if version is None:
        return "none yet. Train one: pipeline=fti, on the sample or with dataset=... on your own data"
    with rollback_hint(registry):
        manifest = check_version(registry, version)
    needed = manifest["data_version"]["feature_version"]
    pointer = read_sealed(registry.root / "champion.json", "", unsealed=True)  # a person may have written it
    since = ""
    if published := pointer.get("published_at"):
        at = datetime.fromisoformat(published)
        since = f" since {at:%Y-%m-%d %H:%M} ({age((run.now - at).total_seconds())})"
    metrics = manifest["metrics"]
    other = manifest["dataset"] != run.config.dataset.name
    return (
        f"{version}{since}, {manifest['settings']['model']['name']}, trained on {manifest['training_rows']:,} messages"
        + (f" of another dataset (to see its state: dataset={manifest['dataset']})" if other else "")
        + f"; macro F1 {metrics['f1_macro']:.3f}, weighted F1 {metrics['f1_weighted']:.3f}, feature version {needed}"
    )


def _at_work(run: RunContext) -> str:
    working = {lock_holder(folder) for folder in (run.layers.root, run.registry.root)} - {None}
    if working:
        return "a run, process " + " and ".join(map(str, sorted(filter(None, working))))
    batch = run.batches.unfinished(run.config.dataset.name)
    return "no run" if batch is None else f"no run; the next inference continues with batch {batch.name}"


def _set_aside(run: RunContext, left_out: list[SetAside]) -> str | None:
    """Return the unusable files of the drop folders, after those of the inbox."""
    left_out += unusable_in_raw_dir(run.config, run.store.folder)
    return f"{count(len(left_out), 'file')}: {examples(file.name for file in left_out)}" if left_out else None


def _side_tables(run: RunContext) -> None:
    dataset = run.config.dataset
    if (told := unusable_side_tables(dataset, side_table_files(dataset, run.inbox), run.layers)) is not None:
        raise DataError(told)


def _inbox(run: RunContext, left_out: list[SetAside]) -> str:
    check_inbox(run.config)
    arrived = run.batches.new_files(run.inbox, run.config.dataset)
    left_out += arrived.set_aside
    names = arrived.files
    left_out += unread_by_champion(run, names)
    if not names:
        looked = [found["at"] for found in run.own_decisions() if found["decision"] == "batch"]
        last = f"; last read {datetime.fromisoformat(looked[-1]):%Y-%m-%d %H:%M}" if looked else ""
        return f"nothing new{last}"
    found = [(run.inbox / name).stat() for name in names]
    oldest = run.now.timestamp() - min(file.st_mtime for file in found)
    return f"{count(len(found), 'new file')}, {size(sum(file.st_size for file in found))}, the oldest for {age(oldest)}"


def _quarantine(run: RunContext) -> str | None:
    newest = run.batches.newest_first(run.config.dataset.name)
    done = next((batch for batch in newest if batch.state is not BatchState.CLAIMED), None)
    if done is None:
        return None
    accounts = done.accounts
    return f"{accounts['quarantined']:,} of the {accounts['in']:,} messages in the last batch"


def _store(run: RunContext) -> str:
    try:
        manifest = run.registry.champion_manifest()
    except DataError:  # reported already
        manifest = None
    version = manifest["data_version"]["feature_version"] if manifest else run.definition.version
    messages = run.store.count(version)
    if not messages:
        return "empty. To fill it: pipeline=feature"
    taken = sum(path.stat().st_size for path in run.store.folder.rglob("*") if path.is_file())
    return f"{count(messages, 'message')}, {run.store.count_labelled(version):,} with a label, {size(taken)}"


def _disk(folder: Path) -> str:
    there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    usage = shutil.disk_usage(there)
    return f"{size(usage.free)} of {size(usage.total)} free"


def _exit_codes(reporting: Path) -> str | None:
    """Return the exit codes of the last scheduled runs from the logs of ``deploy/run-batch``; None without logs."""
    folder = Path(os.environ.get("BATCH_NLP_LOGS") or reporting / "logs")
    found: list[tuple[str, str]] = []
    for log in sorted(folder.glob("batch-nlp-*.log"), reverse=True)[:_RECENT]:
        found = [*_EXIT.findall(log.read_text(errors="replace")), *found]
        if len(found) >= _RECENT:
            break
    if not found:
        return None
    codes = " ".join(code for _, code in found[-_RECENT:])
    return f"{codes} (scheduled runs, the last on {found[-1][0]}, local time)"


def _last_run(runs: Path) -> str | None:
    """Return the error of the last run that has ended; None if it succeeded, or only found the lock taken."""
    for log in sorted(runs.glob("????-??-??/*/run.log"), reverse=True)[:_LOGS]:
        ending = ending_of(log)
        if ending is not None and ending[0] != ExitCode.LOCKED:
            code, error = ending
            at = datetime.fromtimestamp(log.stat().st_mtime, UTC)
            failed = f"{at:%Y-%m-%d %H:%M} exit code {code}: {printable(error, _ERROR_CHARS)} ({log})"
            return failed if code else None
    return None


def _recent(run: RunContext) -> list[Text]:
    """Return a table of the newest batches, oldest first, with their verdicts and what followed."""
    decisions = run.own_decisions()
    # leaves out runs that found nothing new, which are most runs of a scheduler
    batches = [found for found in decisions if found["decision"] == "batch" and found["batch"]][-_RECENT:]
    if not batches:
        return []
    lines = [Text(), Text(f"{'when':<13}{'batch':<27}{'messages':>8}  {'verdict':<14}{'followed by':<16}", "cyan")]
    for decision in batches:
        messages, verdict = decision.get("accounts", {}).get("in"), decision["verdict"]["status"]
        when = f"{datetime.fromisoformat(decision['at']):%m-%d %H:%M}  {printable(decision['batch'])[:26]:<27}"
        followed = [found for found in decisions if _answers(found, decision)]
        lines.append(
            Text.assemble(
                f"{when}{'-' if messages is None else f'{messages:,}':>8}  ",
                (f"{printable(verdict)[:13]:<14}", COLOURS.get(verdict, "")),
                printable(_action(decision, followed[-1] if followed else None))[:16],
            )
        )
    return lines


def _answers(decision: dict[str, Any], batch: dict[str, Any]) -> bool:
    """Return whether a decision answers the verdict on a batch, perhaps in the run after a killed one."""
    if decision["decision"] not in {"retraining", "held back"}:
        return False
    return bool(decision.get("batch", batch["batch"] if decision["run"] == batch["run"] else None) == batch["batch"])


def _action(batch: dict[str, Any], answer: dict[str, Any] | None) -> str:
    if answer is None:
        # a retraining records its outcome at its end: this one was killed, or ended with an error
        return "retrain not done" if batch["action"] == "retrain" else str(batch["action"])
    return str(answer.get("outcome", answer["decision"]))
