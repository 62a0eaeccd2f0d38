"""The backends of the embedding on the same texts: speed, cosine to the reference, memory.

``python -m benchmarks.embeddings [TEXTS] [ROUNDS]`` generates texts and prints the rows as JSON. The reference is
sentence-transformers as a user would call it, with its own settings; where it is not installed, MiniLM on ONNX Runtime.
"""

from __future__ import annotations

import json
import resource
import subprocess  # nosec B404 # starts this module for one backend at a time
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tests.settings import default

from benchmarks.task import clock

STATIC, MINILM = "static", "minilm"
REFERENCE, GPU = "sentence_transformers", "sentence_transformers on a GPU"
ROUNDS = 3
_WARM_UP = 8


def backends() -> list[str]:
    """Return the backends that can be loaded here."""
    found = [STATIC, MINILM]
    if find_spec("sentence_transformers"):
        import torch

        found += [REFERENCE, GPU] if torch.cuda.is_available() else [REFERENCE]
    return found


def compare(texts: list[str], rounds: int) -> list[dict[str, Any]]:
    """Encode texts by every backend, each time in a process of its own and in turn.

    The result has for each backend: ``texts_per_second`` (medians of the rounds, model loaded) and ``per_cpu_second``,
    ``speed_up`` (median over the rounds of the ratio to the reference of the same round), ``peak_mib``, and the
    ``cosine_mean`` and ``cosine_p1`` (1st percentile) to the reference; None for vectors of another space.
    """
    names = backends()
    reference = REFERENCE if REFERENCE in names else MINILM
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts.json").write_text(json.dumps(texts))
        runs = [{backend: _run(backend, folder) for backend in names} for _ in range(rounds)]
        vectors = {backend: np.load(folder / f"{names.index(backend)}.npy") for backend in names}
    return [
        _row(backend, [{**run, "reference": run[reference]} for run in runs], vectors, reference) for backend in names
    ]


def _row(
    backend: str, runs: list[dict[str, dict[str, float]]], vectors: dict[str, Any], reference: str
) -> dict[str, Any]:
    cosines = None
    if vectors[backend].shape == vectors[reference].shape:
        cosines = (vectors[backend] * vectors[reference]).sum(axis=1)
    texts = len(vectors[backend])
    return {
        "backend": backend,
        "reference": reference,
        "texts_per_second": texts / median(run[backend]["seconds"] for run in runs),
        "per_cpu_second": texts / median(run[backend]["cpu_seconds"] for run in runs),
        "speed_up": median(run["reference"]["seconds"] / run[backend]["seconds"] for run in runs),
        "peak_mib": max(run[backend]["peak_mib"] for run in runs),
        "cosine_mean": None if cosines is None else float(cosines.mean()),
        "cosine_p1": None if cosines is None else float(np.percentile(cosines, 1)),
    }


def _run(backend: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.embeddings", "--child", backend, str(folder)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)  # nosec B603 # a name from the list above
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _child(backend: str, folder: Path) -> None:
    texts = json.loads((folder / "texts.json").read_text())
    encode = _load(backend, folder)
    encode(texts[:_WARM_UP])
    with clock() as spent:
        vectors = encode(texts)
    np.save(folder / f"{backends().index(backend)}.npy", vectors)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps({**asdict(spent), "peak_mib": peak}))


def _load(backend: str, folder: Path) -> Callable[[list[str]], Any]:
    if backend in (REFERENCE, GPU):
        from sentence_transformers import SentenceTransformer

        from batch_nlp.storage.packaged_model import packaged_folder

        model = SentenceTransformer(str(packaged_folder()), device="cuda" if backend == GPU else "cpu")
        # what a user would write: everything by default
        return lambda texts: model.encode(texts, show_progress_bar=False)
    from batch_nlp.config import EmbeddingBackend, EmbeddingConfig
    from batch_nlp.steps.embedding.factory import create_embedder

    distilled = Path(__file__).parents[1] / ".cache" / "embedding"
    settings = default(EmbeddingConfig, backend=EmbeddingBackend[backend])
    return create_embedder(settings, distilled if distilled.is_dir() else folder).encode


def _generated(count: int) -> list[str]:
    """Return the texts of a generated history."""
    from batch_nlp.config import SampleConfig
    from batch_nlp.sample.yelp.reviews import chunks

    texts = (str(row["text"]) for chunk in chunks(default(SampleConfig, messages=count), 0) for row in chunk.rows)
    return list(islice(texts, count))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], Path(sys.argv[3]))
    else:
        count, rounds = (*map(int, sys.argv[1:]), *(200, ROUNDS)[len(sys.argv) - 1 :])
        print(json.dumps(compare(_generated(count), rounds), indent=1))
