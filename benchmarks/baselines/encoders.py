"""Vectors as a user would make them: `SentenceTransformer.encode`, and model2vec with the project's own table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.baselines.pandas_version import CLASS_OF_STARS, add_features, join, read_messages, sound
from benchmarks.task import Done, Task, clock

# Training messages of the classifier on the vectors; few, since encoding is slow
TRAINED_ON = 200


def sentence_transformer(task: Task) -> Done:
    """``SentenceTransformer.encode`` with default settings on the CPU."""
    model = _load()
    texts = sound(read_messages(task.messages, task.at_most))["text"].to_list()
    model.encode(texts[:8])
    with clock() as spent:
        model.encode(texts)
    return Done(len(texts), spent)


def inference(task: Task) -> Done:
    """From the files to classes by vectors of MiniLM and a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    model = _load()
    labelled = sound(read_messages(task.labelled, TRAINED_ON))
    classifier = LogisticRegression(max_iter=1000, class_weight="balanced")
    classifier.fit(model.encode(labelled["text"].to_list()), labelled["stars"].map(CLASS_OF_STARS))
    with clock() as spent:
        messages = add_features(sound(join(read_messages(task.messages, task.at_most), task)))
        classes = classifier.predict(model.encode(messages["text"].to_list()))
        result = messages[["review_id"]].assign(predicted=classes)
        result["predicted"].value_counts(normalize=True)
        result.to_parquet(Path(task.output) / "predictions.parquet")
    return Done(len(messages), spent)


def model2vec(task: Task) -> Done:
    """The encoder of model2vec with the table that the default backend looks up."""
    from model2vec import StaticModel
    from safetensors.numpy import load_file

    from batch_nlp.steps.embedding.minilm import load_tokenizer
    from batch_nlp.storage.packaged_model import packaged_folder

    data = next(setting for setting in task.settings if setting.startswith("paths.data=")).partition("=")[2]
    file = max((Path(data) / "04_feature" / "embedding_cache").glob("static-*.safetensors"))
    model = StaticModel(load_file(file)["table"], load_tokenizer(packaged_folder(), 256), normalize=True)
    texts = sound(read_messages(task.messages, task.at_most))["text"].to_list()
    with clock() as spent:
        model.encode(texts, max_length=256)
    return Done(len(texts), spent)


def _load() -> Any:
    from batch_nlp.storage.packaged_model import packaged_folder

    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise SystemExit(
            "not installed; `uv pip install sentence-transformers torch --torch-backend=cpu` brings it"
        ) from None
    return SentenceTransformer(str(packaged_folder()), device="cpu")
