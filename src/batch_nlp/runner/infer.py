"""The stage `inference`: score the inbox, judge the batch, and respond to the verdict.

The scoring code is imported only if there is something to score: most calls of a scheduler find nothing new.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING

from loguru import logger

from batch_nlp.config.builder import check_steps
from batch_nlp.dataset.classes import ClassMap, outcomes_of_model
from batch_nlp.dataset.drop_folders import check_inbox, log_set_aside, log_unread, unread_in_inbox
from batch_nlp.errors import DataError, examples
from batch_nlp.fields import TEXT
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchState
from batch_nlp.monitoring.band import check_bands
from batch_nlp.monitoring.findings import Action, Analysis, Answer, Status, Verdict
from batch_nlp.monitoring.verdict_terminal import show_verdict
from batch_nlp.runner.champion import champion_of, check_champion
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.input_schema import InputSchema, input_schema_for
from batch_nlp.runner.notifications import notify_answer
from batch_nlp.runner.reporting import report_batch
from batch_nlp.storage.atomic import sweep
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.outcomes import abstained_name
from batch_nlp.storage.registry import Model

if TYPE_CHECKING:
    import duckdb

    from batch_nlp.monitoring.scored import ScoredBatch
    from batch_nlp.steps.base import MeteredPipeline
    from batch_nlp.storage.known import KnownMessages
    from batch_nlp.storage.ledger import Ledger


def infer(run: RunContext) -> None:
    """Score the new messages in the inbox, judge them, and respond to the verdict.

    Raises a `DataError` if there is no inbox, or the champion cannot score, even if the inbox is empty; a `DriftError`
    if drift was found and nothing was done about it; and a `GateError` if drift led to a candidate that failed its
    gate.
    """
    config = run.config
    check_inbox(config)
    records = run.batches
    batch = records.unfinished(config.dataset.name)
    if batch is not None:
        log_unread(unread_in_inbox(config))
        logger.warning("Continuing with batch {}, which was begun and not finished", batch.name)
        sweep(run.layers.predictions / batch.name)
    else:
        arrived = records.new_files(run.inbox, config.dataset, config.inference.min_age_seconds)
        log_unread(unread_in_inbox(config, arrived.scored))
        log_set_aside(arrived.set_aside)
        run.left_out.extend(file.name for file in arrived.set_aside)
        if not arrived.files:
            _skip(run)
            check_champion(run.registry)  # a person must know before messages come
            return
    from batch_nlp.runner.response import raise_for, respond

    champion = champion_of(run, scores=True)
    check_bands(config.drift, outcomes_of_model(champion.manifest))
    schema = _input_schema(run, champion)
    begun = batch is not None
    batch = batch or _claim(run, schema, arrived.files)
    if batch is None:
        _skip(run)
        return
    if batch.state is BatchState.CLAIMED:
        try:
            if begun and (unread := schema.check(run, batch.files)):
                raise DataError("\n".join(file.problem for file in unread.values()))
            _score(run, champion, schema, batch)
        except DataError:
            # no predictions of unusable files were delivered: once repaired, the files are new
            if not (run.layers.predictions / batch.name).exists():
                records.release(batch)
                logger.warning("Batch {} is dropped: the next run reads the inbox again", batch.name)
            raise
        records.write(batch)
    analysis = _analyse(run, batch)
    if batch.state is BatchState.SCORED:
        _report_verdict(run, batch, analysis)
        batch.state = BatchState.JUDGED
        records.write(batch)
    try:
        answer = respond(run, batch, analysis)
    except Exception as error:
        # the exit code reports the failed response, which must not keep the next batch from being scored
        report_batch(run, batch, analysis, Answer(Action.FAILED, f"{type(error).__name__}: {error}"))
        records.finish(batch)
        raise
    report_batch(run, batch, analysis, answer)
    records.finish(batch)
    notify_answer(run, batch.name, analysis.deciding, answer)
    raise_for(batch, analysis, answer)


def _skip(run: RunContext) -> None:
    """Record that there was nothing to score."""
    nothing = f"nothing new in {run.inbox}"
    missing = f"{run.inbox} does not exist yet: create the folder and put messages into it"
    verdict = Verdict(Status.SKIPPED, nothing if run.inbox.exists() else missing, [])
    show_verdict(None, verdict, "none", run.config.drift.confidence)
    run.decide("batch", batch=None, verdict=asdict(verdict), action="none")


def _claim(run: RunContext, schema: InputSchema, files: dict[str, str]) -> Batch | None:
    """Claim a batch of new files, setting aside files without a readable row; None if no file is left."""
    unread = schema.check(run, files)
    log_set_aside([*unread.values()])
    run.left_out.extend(file.name for file in unread.values())
    rest = {name: digest for name, digest in files.items() if name not in unread}
    return run.batches.claim(rest, run.config.dataset.name, run.now) if rest else None


def scored_batch(run: RunContext, name: str) -> ScoredBatch:
    """Return the files of a scored batch."""
    from batch_nlp.monitoring.scored import ScoredBatch
    from batch_nlp.storage.samples import sample_file

    return ScoredBatch(name, run.layers.predictions / name / PREDICTIONS_FILE, sample_file(run.layers, name))


def _analyse(run: RunContext, batch: Batch) -> Analysis:
    """Analyse a scored batch."""
    from batch_nlp.monitoring.analyse import analyse
    from batch_nlp.monitoring.what_changed import with_snippets
    from batch_nlp.storage.reference import Reference

    drift = run.config.drift
    model = run.registry.root / str(batch.model_version)
    manifest = read_manifest(model)
    earlier = (
        found
        for found in run.batches.newest_first(batch.dataset)
        if found.model_version == batch.model_version and found.name < batch.name
    )
    window = [scored_batch(run, found.name) for found in reversed(list(islice(earlier, drift.window - 1)))]
    analysis = analyse(
        scored_batch(run, batch.name),
        Reference.read(model, manifest),
        ClassMap.from_dict(manifest["label_map"]).classes,
        drift,
        window,
        run.config.seed,
        abstained_name(manifest),
    )
    length = run.config.report.snippets
    if not (length and analysis.examples):
        return analysis
    ids = [example.message_id for example in analysis.examples]
    stored = run.store.features_of(manifest["data_version"]["feature_version"], ids)
    texts = dict(zip(stored["message_id"], stored.get(TEXT, []), strict=True))
    return replace(analysis, examples=with_snippets(analysis.examples, texts, length))


def _report_verdict(run: RunContext, batch: Batch, analysis: Analysis) -> None:
    """Show the verdict, and write it to the batch's report and to the decision log."""
    from batch_nlp.runner.response import response_of

    verdict = analysis.deciding
    action = response_of(run.config)[0].value if verdict.status is Status.DRIFT else "none"
    show_verdict(batch.name, analysis.verdict, action, run.config.drift.confidence, analysis)
    report_batch(run, batch, analysis, None)
    facts = {"batch": batch.name, "accounts": batch.accounts, "model": batch.model_version}
    run.decide("batch", **facts, verdict=asdict(verdict), action=action)


def _input_schema(run: RunContext, champion: Model) -> InputSchema:
    """Return the input schema for the champion, and log the settings that it ignores."""
    from batch_nlp.feature.definition import ignored_settings

    schema = input_schema_for(run, champion.version, champion.manifest)
    check_steps(schema.definition.steps, f"the feature steps of {champion.version}", run.config.allow)
    if ignored := ignored_settings(run.definition, schema.definition):
        logger.warning(
            "The champion {} keeps the features that it was trained with; different settings are ignored: {} ({})",
            champion.version,
            len(ignored),
            examples(ignored),
        )
    return schema


def _score(run: RunContext, champion: Model, schema: InputSchema, batch: Batch) -> None:
    from batch_nlp.feature.pipeline import FeatureContext, build_feature_pipeline, load_side_tables
    from batch_nlp.inference.kept_columns import check_kept_in_files
    from batch_nlp.inference.run import run_inference_pipeline

    config, definition = run.config, schema.definition
    kept = config.inference.output.keep
    messages = [file for name in batch.files if (file := run.inbox / name).is_file()]
    check_kept_in_files(kept, messages, config.dataset.messages)

    def feature_steps(connection: duckdb.DuckDBPyConnection, known: KnownMessages, ledger: Ledger) -> MeteredPipeline:
        tables = load_side_tables(config, definition, run.layers, connection)
        cache, threads = run.layers.embedding_cache, config.engine.threads
        context = FeatureContext(tables, known, ledger, cache, threads, kept_columns=kept)
        return build_feature_pipeline(config, definition, context)

    columns = schema.dataset.messages.columns
    run_inference_pipeline(config, run.layers, run.store, champion, columns, feature_steps, batch)
