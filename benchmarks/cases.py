"""The stages, and for each: this project, what a user would write, and what the machine allows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.measure import Contender, Kind, python, run
from benchmarks.workloads import NO_BARS, Workload, begin, link

# Encoders at tens of messages per second get this many; the rest is extrapolated
FEW = 300
# Linear work that takes minutes stops here too
MANY = 100_000

# Drift would trigger a training, which has its own measurement
NO_ALARM = ("drift.low=0.0", "drift.high=1.0")

PRODUCT = "batch-nlp"
SECOND_RUN = "batch-nlp: again, with 1 % new messages"


@dataclass(frozen=True)
class Case:
    """A stage and its contenders, in the order of their turns."""

    stage: str
    contenders: tuple[Contender, ...]

    @property
    def key(self) -> str:
        """Name on the command line."""
        return self.stage.replace(" ", "-")


def cases(workload: Workload) -> list[Case]:
    """Return the stages of a workload, in the order in which they build on each other."""
    stages = workload.place("stages")
    step = partial(function_contender, workload, stages, lambda: workload.fresh(stages))
    scored = partial(function_contender, workload, workload.place("inference"), lambda: ensure_scored(workload))
    pandas = "baselines.pandas_version"
    encoders = "baselines.encoders"
    return [
        Case(
            "extract and join",
            (
                step(PRODUCT, "product", "stages:extract"),
                step("pandas: read_json and merge", "baseline", f"{pandas}:read"),
                step("DuckDB alone", "baseline", "baselines.duckdb_reading:read"),
                step("one pass over the file", "limit", "limits:one_pass"),
            ),
        ),
        Case(
            "validate",
            (
                step(PRODUCT, "product", "stages:validate"),
                step("pandas: dropna and drop_duplicates", "baseline", f"{pandas}:validate", MANY),
                step("the bytes copied once in memory", "limit", "limits:text_copied"),
            ),
        ),
        Case(
            "features",
            (
                step(PRODUCT, "product", "stages:features"),
                step("pandas: .str methods", "baseline", f"{pandas}:features", MANY),
                step("the bytes copied once in memory", "limit", "limits:text_copied"),
            ),
        ),
        Case(
            "embedding",
            (
                step(f"{PRODUCT}, static (default)", "product", "stages:embedding"),
                step("model2vec, the same table", "baseline", f"{encoders}:model2vec", MANY),
                step("SentenceTransformer.encode, MiniLM", "baseline", f"{encoders}:sentence_transformer", FEW),
                step("rows of the static table from memory", "limit", "limits:table_rows", MANY),
                step("arithmetic of MiniLM", "limit", "limits:minilm_arithmetic", MANY),
            ),
        ),
        Case("embedding backends", (step("all backends, each in its turn", "product", "stages:backends", FEW),)),
        Case(
            "prediction",
            (
                step(PRODUCT, "product", "stages:predict"),
                step("scikit-learn: TF-IDF and logistic regression", "baseline", f"{pandas}:ngrams", MANY),
                step("the bytes copied once in memory", "limit", "limits:text_copied"),
            ),
        ),
        _feature_pipeline(workload),
        _training(workload),
        _inference(workload),
        Case(
            "drift analysis",
            (
                scored(PRODUCT, "product", "stages:drift"),
                scored("pandas and scipy: shares and a test", "baseline", f"{pandas}:drift"),
                scored("the predictions read once", "limit", "limits:predictions_read"),
            ),
        ),
        Case(
            "report",
            (
                scored(PRODUCT, "product", "stages:report"),
                scored("pandas: to_html", "baseline", f"{pandas}:report"),
                scored("100 kB written and synced", "limit", "limits:page_written"),
            ),
        ),
    ]


def function_contender(
    workload: Workload,
    data: Path,
    prepare: Callable[[], None],
    name: str,
    kind: Kind,
    function: str,
    at_most: int | None = None,
) -> Contender:
    """Return a function of this package as a contender, in a process of its own; its output counts as bytes on disk."""
    output = workload.place("output")

    def before() -> None:
        prepare()
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)

    most = at_most if at_most and at_most < workload.messages else None
    command = python("-m", "benchmarks.child", function, workload.task(data, output, most).to_json())
    return Contender(name, kind, command, workload.messages, before, None if kind == "limit" else output)


def _feature_pipeline(workload: Workload) -> Case:
    data, models = workload.place("feature"), workload.place("models")
    product = Contender(
        PRODUCT,
        "product",
        workload.command("feature", data, models),
        workload.messages,
        lambda: workload.fresh(data),
        data,
    )
    step = partial(function_contender, workload, data, lambda: None)
    others = (
        step("pandas: derived columns to parquet", "baseline", "baselines.pandas_version:feature_table"),
        step("one pass, and as much parquet written", "limit", "limits:parquet_written"),
    )
    if workload.new is None:
        return Case("feature pipeline", (product, *others))
    second = Contender(
        SECOND_RUN,
        "product",
        product.command,
        workload.messages,
        partial(link, workload.new, data / "01_raw" / workload.dataset),
        data,
    )
    return Case("feature pipeline", (product, second, *others))


def _training(workload: Workload) -> Case:
    data, models = workload.place("feature"), workload.place("models")

    def before() -> None:
        ensure_features(workload)
        shutil.rmtree(models, ignore_errors=True)
        begin(models)

    product = Contender(
        PRODUCT, "product", workload.command("training", data, models, *NO_BARS), workload.messages, before, data
    )
    name = "scikit-learn and XGBoost: one fit"
    baseline = function_contender(
        workload, data, lambda: None, name, "baseline", "baselines.pandas_version:training", MANY
    )
    return Case("training", (product, baseline))


def inference_contender(workload: Workload) -> Contender:
    """Return the inference pipeline from start to end, as the command line runs it."""
    data = workload.place("inference")
    command = workload.command("inference", data, workload.champion / "models", *NO_ALARM)
    return Contender(PRODUCT, "product", command, workload.messages, lambda: workload.fresh(data), data)


def _inference(workload: Workload) -> Case:
    step = partial(function_contender, workload, workload.place("inference"), lambda: None)
    return Case(
        "inference",
        (
            inference_contender(workload),
            step("pandas, TF-IDF and XGBoost", "baseline", "baselines.pandas_version:inference", MANY),
            step("pandas, SentenceTransformer.encode", "baseline", "baselines.encoders:inference", FEW),
            step("one pass over the file", "limit", "limits:one_pass"),
        ),
    )


def ensure_features(workload: Workload) -> None:
    """Run the feature pipeline, outside of the clock, unless it has finished before."""
    data = workload.place("feature")
    if not list((data / "04_feature" / workload.dataset).glob("files.json")):
        workload.fresh(data)
        run(workload.command("feature", data, workload.place("models")))


def ensure_scored(workload: Workload) -> None:
    """Run inference, outside of the clock, unless it has finished before."""
    data = workload.place("inference")
    if not list((data / "08_reporting" / "batches").glob("[!.]*.json")):
        workload.fresh(data)
        run(inference_contender(workload).command)
