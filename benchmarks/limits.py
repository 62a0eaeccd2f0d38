"""Limits of the machine: the least time of a stage, measured or computed from a measured rate."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.baselines.pandas_version import predictions_file, read_messages, sound
from benchmarks.task import Done, Spent, Task, clock, number_of_lines

_BLOCK = 2**20
# the best of this many rounds counts as the speed of an idle machine
_TRIALS = 10
# copied for the bandwidth of the memory: far more than the caches hold
_COPIED = 2**29
# a matrix product that keeps the cores busy, of the shape of MiniLM's own: tokens x dims x hidden
_PRODUCT = (8192, 384, 1536)
_STATIC_DIMS, _MAX_TOKENS = 256, 256
# all-MiniLM-L6-v2
_LAYERS, _DIMS, _HIDDEN = 6, 384, 1536


def one_pass(task: Task) -> Done:
    """Read every byte of the messages once; mostly from the page cache, as the stage itself does."""
    with clock() as spent:
        for file in task.messages:
            _read(file)
    return Done(number_of_lines(task.messages), spent)


def text_copied(task: Task) -> Done:
    """Copy the messages' bytes once in memory."""
    size = sum(Path(file).stat().st_size for file in task.messages)
    bandwidth = _bandwidth()
    return Done(
        number_of_lines(task.messages),
        _computed(2 * size / bandwidth),
        facts={"bandwidth_gb_per_second": bandwidth / 1e9},
    )


def table_rows(task: Task) -> Done:
    """Read each token's row of the static table once, tokens x dims x 4 bytes, at the bandwidth of the memory."""
    lengths = _token_lengths(task)
    size = sum(lengths) * _STATIC_DIMS * 4
    return Done(len(lengths), _computed(size / _bandwidth()), "without cutting texts into tokens")


def minilm_arithmetic(task: Task) -> Done:
    """Multiply-adds of all-MiniLM-L6-v2 on the texts' tokens without padding, at the rate of a matrix product."""
    import numpy as np

    lengths = _token_lengths(task)
    per_token = 2 * (4 * _DIMS**2 + 2 * _DIMS * _HIDDEN)
    operations = _LAYERS * sum(length * per_token + 4 * length**2 * _DIMS for length in lengths)
    rows, inner, columns = _PRODUCT
    left, right = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
    seconds = []
    for _ in range(_TRIALS):
        with clock() as spent:
            left @ right
        seconds.append(spent.seconds)
    rate = 2 * rows * inner * columns / min(seconds)
    return Done(len(lengths), _computed(operations / rate), facts={"gflop_per_second": rate / 1e9})


def parquet_written(task: Task) -> Done:
    """Read the bytes of the labelled files once, and write their texts and as many vectors as parquet."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.json as paj
    import pyarrow.parquet as pq

    with clock() as spent:
        for file in task.labelled:
            _read(file)
    table = pa.concat_tables([paj.read_json(file).select(["review_id", "text"]) for file in task.labelled])
    # random values, which do not compress, like vectors
    block = np.random.default_rng(0).random((5000, _STATIC_DIMS), dtype=np.float32)
    with pq.ParquetWriter(
        Path(task.output) / "limit.parquet",
        table.schema.append(pa.field("vector", pa.list_(pa.float32()))),
        compression="zstd",
    ) as writer:
        for start in range(0, len(table), len(block)):
            part = table.slice(start, len(block)).combine_chunks()
            rows = len(part)
            ends = pa.array(np.arange(0, rows + 1) * _STATIC_DIMS, pa.int32())
            vectors = pa.ListArray.from_arrays(ends, pa.array(block[:rows].ravel()))
            with clock(spent):
                writer.write_table(part.append_column("vector", vectors))
    return Done(len(table), spent)


def predictions_read(task: Task) -> Done:
    """Read the predictions once."""
    import pyarrow.parquet as pq

    file = predictions_file(task)
    with clock() as spent:
        rows = pq.read_table(file).num_rows
    return Done(rows, spent)


def page_written(task: Task) -> Done:
    """Write a page of 100 kB, and wait until it is on the disk."""
    content = os.urandom(100_000)
    with clock() as spent, (Path(task.output) / "page").open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Done(number_of_lines(task.messages), spent)


def _computed(seconds: float) -> Spent:
    return Spent(seconds, seconds)


def _read(file: str) -> None:
    buffer = bytearray(_BLOCK)
    with Path(file).open("rb", buffering=0) as opened:
        while opened.readinto(buffer):
            pass


def _bandwidth() -> float:
    """Return the bytes per second, read and written, of the best copy."""
    import numpy as np

    source, target = np.ones(_COPIED // 8), np.empty(_COPIED // 8)
    seconds = []
    for _ in range(_TRIALS):
        with clock() as spent:
            np.copyto(target, source)
        seconds.append(spent.seconds)
    return 2 * _COPIED / min(seconds)


def _token_lengths(task: Task) -> list[int]:
    from batch_nlp.steps.embedding.minilm import load_tokenizer
    from batch_nlp.storage.packaged_model import packaged_folder

    tokenizer = load_tokenizer(packaged_folder(), _MAX_TOKENS)
    texts = sound(read_messages(task.messages, task.at_most))["text"].to_list()
    return [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts)]
