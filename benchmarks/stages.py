"""The stages of this project, one at a time: what `benchmarks.child` runs and measures.

Batches stream through the real steps, as in the feature and the inference pipeline; the clock of a stage runs in its
own steps only. The peak of memory is that of all steps up to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmarks.task import Done, Spent, Task, clock

if TYPE_CHECKING:
    from batch_nlp.inference.batch_records import Batch
    from batch_nlp.monitoring.findings import Analysis
    from batch_nlp.runner.context import RunContext
    from batch_nlp.storage.registry import Model

Item = TypeVar("Item")

# the steps of the stages, reading among them
EXTRACT = ("read", "extract")
FEATURES = ("clean_text", "text_counts", "date_parts", "business_features", "user_features")
EMBEDDING = ("embedding",)
PREDICTION = ("predict",)


def extract(task: Task) -> Done:
    """Read the messages, type them, and join them with their users and businesses."""
    return _run_steps(task, *EXTRACT)


def validate(task: Task) -> Done:
    """Check the contract of each message."""
    return _run_steps(task, "validate")


def features(task: Task) -> Done:
    """Clean the texts and compute the derived features."""
    return _run_steps(task, *FEATURES)


def embedding(task: Task) -> Done:
    """Compute the vectors of the default backend."""
    return _run_steps(task, *EMBEDDING)


def each(task: Task) -> Done:
    """Run all steps, and return the CPU seconds of each stage beside the total."""
    stages = {"extract and join": EXTRACT, "features": FEATURES, "embedding": EMBEDDING, "prediction": PREDICTION}
    messages, spent = _spent_in_steps(task, *itertools.chain(*stages.values()))
    of_stages = {stage: sum(spent[step].cpu_seconds for step in steps) for stage, steps in stages.items()}
    return Done(messages, _sum(spent.values()), facts={"cpu_seconds": of_stages})


def backends(task: Task) -> Done:
    """Compare the backends of the embedding on some of the texts."""
    from benchmarks.baselines.pandas_version import read_messages, sound
    from benchmarks.embeddings import ROUNDS, compare

    texts = sound(read_messages(task.messages, task.at_most))["text"].to_list()
    with clock() as spent:
        entries = compare(texts, ROUNDS)
    return Done(len(texts), spent, facts={"backends": entries})


def predict(task: Task) -> Done:
    """Score the messages with the champion: n-grams, calibration, decision."""
    return _run_steps(task, *PREDICTION)


def drift(task: Task) -> Done:
    """Judge the batch that inference scored."""
    run = _settings(task)
    with clock() as spent:
        batch, _ = _judged(run)
    return Done(sum(batch.counts), spent)


def report(task: Task) -> Done:
    """Write the report of the batch that inference scored."""
    from batch_nlp.monitoring.batch_document import batch_document
    from batch_nlp.reports.batch_page import write_batch_report

    run = _settings(task)
    batch, analysis = _judged(run)
    with clock() as spent:
        write_batch_report(Path(task.output), batch_document(batch.facts(), analysis, None, run.config.drift), [])
    return Done(sum(batch.counts), spent)


def _run_steps(task: Task, *measured: str) -> Done:
    messages, spent = _spent_in_steps(task, *measured)
    return Done(messages, _sum(spent.values()))


def _spent_in_steps(task: Task, *measured: str) -> tuple[int, dict[str, Spent]]:
    """Run the steps up to the last measured one, batch by batch; return the messages and the time of each step."""
    from batch_nlp.config.builder import build_steps
    from batch_nlp.dataset.message_reader import read_messages
    from batch_nlp.feature.pipeline import FeatureContext, build_feature_pipeline, load_side_tables, read_columns
    from batch_nlp.storage.known import KnownMessages
    from batch_nlp.storage.layers import Layers
    from batch_nlp.storage.ledger import keeping_account
    from batch_nlp.storage.raw.file_names import find_files
    from batch_nlp.storage.sql import connect

    run = _settings(task)
    config, layers = run.config, Layers(Path(task.output), run.config.dataset.name)
    spent = {name: Spent() for name in measured}
    elsewhere = Spent()
    messages = 0
    with ExitStack() as stack:
        connection = stack.enter_context(connect(config.engine))
        ledger = stack.enter_context(keeping_account(Path(task.output)))
        with clock(spent.get("extract", elsewhere)):
            side_tables = load_side_tables(config, run.definition, layers, connection)
        context = FeatureContext(
            side_tables, KnownMessages(connection, None), ledger, run.layers.embedding_cache, config.engine.threads
        )
        steps = build_feature_pipeline(config, run.definition, context).steps
        if measured[-1] == "predict":
            bound = {"model": _champion(run), "predicted_at": datetime.now(UTC).isoformat()}
            steps = [*steps, *build_steps(config.inference.steps, bound, "inference.steps")]
        last = [name for name, _ in steps].index(measured[-1])
        files = find_files(run.inbox, config.dataset.messages.files)
        batches = read_messages(config, read_columns(config, run.definition), files, labels=False)
        for batch in _timed(batches, spent.get("read", elsewhere)):
            messages += len(batch.rows)
            frame = batch.rows
            for name, step in steps[: last + 1]:
                with clock(spent.get(name, elsewhere)):
                    frame = step.transform(frame)
            if task.at_most and messages >= task.at_most:
                break
    return messages, spent


def _sum(spent: Iterable[Spent]) -> Spent:
    found = list(spent)
    return Spent(sum(one.seconds for one in found), sum(one.cpu_seconds for one in found))


def _timed(items: Iterator[Item], spent: Spent) -> Iterator[Item]:
    """Yield the items; the clock runs while the next one is made."""
    while True:
        with clock(spent):
            found = list(itertools.islice(items, 1))
        if not found:
            return
        yield found[0]


def _settings(task: Task) -> RunContext:
    """Return a run of the task's settings, composed as the command line does."""
    from hydra import compose, initialize_config_dir

    from batch_nlp import job  # noqa: F401 it registers what conf/ refers to
    from batch_nlp.config import CONF
    from batch_nlp.config.load import typed_settings
    from batch_nlp.runner.context import RunContext

    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = typed_settings(compose("config", overrides=task.settings))
    return RunContext.of(config, datetime.now(UTC))


def _champion(run: RunContext) -> Model:
    champion = run.registry.champion()
    if champion is None:
        raise RuntimeError(f"{run.registry.root} holds no champion: the workload is not complete.")
    return champion


def _judged(run: RunContext) -> tuple[Batch, Analysis]:
    """Return the last batch of the data folder, and its analysis."""
    from batch_nlp.inference.batch_records import BatchRecords
    from batch_nlp.monitoring.analyse import analyse
    from batch_nlp.runner.infer import scored_batch
    from batch_nlp.storage.manifest import read_manifest
    from batch_nlp.storage.reference import Reference

    batch = BatchRecords(run.layers.batches).all()[-1]
    model = run.registry.root / str(batch.model_version)
    manifest = read_manifest(model)
    return batch, analyse(
        scored_batch(run, batch.name),
        Reference.read(model, manifest),
        list(manifest["classes"]),
        run.config.drift,
        [],
        run.config.seed,
    )
