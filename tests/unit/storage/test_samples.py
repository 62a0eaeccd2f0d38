from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fields import FIELDS
from tests.naming import refusal

from batch_nlp.errors import DataError
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.samples import (
    KeptSample,
    id_hashes,
    read_sample,
    remove_old_samples,
    sample_file,
    sample_schema,
    write_sample,
)

SCHEMA = pa.schema([("message_id", pa.string())])


def kept(ids: list[str], size: int, *cuts: int) -> list[str]:
    """Return the sample of some ids that arrive in parts."""
    sample = KeptSample(size, SCHEMA)
    bounds = [0, *sorted(cuts), len(ids)]
    for start, end in pairwise(bounds):
        sample.add(pa.table({"message_id": pa.array(ids[start:end], pa.string())}))
        assert sample.rows.num_rows <= size
    found: list[str] = sample.rows["message_id"].to_pylist()
    return found


@given(st.sets(st.text(min_size=1, max_size=5), max_size=60), st.integers(1, 20), st.data())
def test_the_sample_does_not_depend_on_order_or_parts(names: set[str], size: int, data: st.DataObject) -> None:
    ids = sorted(names)
    expected = [ids[place] for place in np.argsort(id_hashes(ids))[:size]]
    assert kept(ids, size) == expected
    shuffled = data.draw(st.permutations(ids))
    cuts = data.draw(st.lists(st.integers(0, len(ids)), max_size=4))
    assert kept(shuffled, size, *cuts) == expected


def test_samples_of_parts_join_to_the_sample_of_the_whole() -> None:
    ids = [f"m{number}" for number in range(500)]
    parts = [*kept(ids[:200], 50), *kept(ids[200:], 50)]
    assert kept(parts, 50) == kept(ids, 50)


def test_what_is_held_does_not_grow_with_the_messages() -> None:
    sample, before = KeptSample(100, SCHEMA), pa.total_allocated_bytes()
    for part in range(20):
        sample.add(pa.table({"message_id": [f"{part}-{number}-" + "x" * 1000 for number in range(1000)]}))
    assert pa.total_allocated_bytes() - before < 5 * 100 * 1000


def rows(n: int) -> pa.Table:
    columns = {
        "message_id": [f"m{number}" for number in range(n)],
        "text": ["good"] * n,
        "embedding": [[0.25, 0.5]] * n,
        "probabilities": [[0.2, 0.3, 0.5]] * n,
        "predicted_class": [2] * n,
    }
    schema = sample_schema(FIELDS)
    arrays = [pa.array(columns.get(field.name, [None] * n), field.type) for field in schema]
    return pa.table(arrays, schema=schema)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_sample_is_read_as_the_store_gives_its_rows(tmp_path: Path, n: int) -> None:
    write_sample(tmp_path / "b.parquet", rows(n))
    found = read_sample(tmp_path / "b.parquet")
    assert set(found.columns) == {*FIELDS.schema.names, "predicted_class", "probabilities"}
    assert len(found) == n
    for vector, probabilities in zip(found["embedding"], found["probabilities"], strict=True):
        assert vector.dtype == np.float32
        np.testing.assert_array_equal(vector, [0.25, 0.5])
        np.testing.assert_array_equal(probabilities, [0.2, 0.3, 0.5])


def test_a_damaged_sample_is_refused_by_name(tmp_path: Path) -> None:
    """Guarantee 2."""
    (tmp_path / "b.parquet").write_bytes(b"PAR1 nothing")
    with refusal(DataError, "b.parquet"):
        read_sample(tmp_path / "b.parquet")


def test_old_samples_go(tmp_path: Path) -> None:
    layers = Layers(tmp_path, "sample")
    names = [f"202601{day:02d}T000000Z-abc" for day in range(1, 6)]
    for name in names:
        write_sample(sample_file(layers, name), rows(1))
    remove_old_samples(layers, 9)
    assert sorted(path.stem for path in layers.samples.glob("*.parquet")) == names
    remove_old_samples(layers, 2)
    assert sorted(path.stem for path in layers.samples.glob("*.parquet")) == names[3:]


def test_samples_have_room_for_hundreds_of_classes() -> None:
    field = sample_schema(FIELDS).field("predicted_class")
    assert pa.array([999], field.type).to_pylist() == [999]
