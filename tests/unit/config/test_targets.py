"""What our steps and types within a model are made of, by version: models on disk depend on it.

Where a test here fails, the change makes models on disk unusable, or otherwise used: raise the version of the class in
`batch_nlp.config.targets`, and add what it is made of under the new version. Entries of earlier versions stay.
"""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from batch_nlp.config.targets import FEATURE_STEPS, MODEL_CODE
from batch_nlp.training.encoding import EmbeddingColumns

VERSIONS = MODEL_CODE | {name: version for name, version in FEATURE_STEPS.items() if version}
# what a driver binds to a feature step, and no model keeps
OF_THE_RUN = {
    *("columns", "joined", "group", "timed", "targets", "side_tables", "known", "ledger"),
    *("labels", "take_labels", "keep", "kept_columns", "cache_dir", "threads"),
}
RECORDED: dict[str, dict[int, str]] = yaml.safe_load(Path(__file__).with_name("made_of.yaml").read_text())


def made_of(name: str) -> str:
    """Return parameters of a class with their defaults, the attributes that its methods set, and its other bases."""
    module, _, last = name.rpartition(".")
    found = getattr(import_module(module), last)
    sources = [inspect.getsource(one) for one in found.__mro__ if one.__module__.startswith("batch_nlp.")]
    own = getattr(found.__init__, "__module__", "").startswith("batch_nlp.")
    parameters = list(inspect.signature(found).parameters.values()) if own else []
    given = [
        one.name if one.default is one.empty else f"{one.name}={one.default!r}"
        for one in parameters
        if one.name not in OF_THE_RUN
    ]
    learned = sorted(set.union(*map(attributes, sources)) - {one.name for one in parameters})
    bases = [one.__name__ for one in found.__bases__ if not one.__module__.startswith("batch_nlp.")]
    return "; ".join((", ".join(given), " ".join(learned), " ".join(bases)))


def attributes(source: str) -> set[str]:
    """Return the attributes that methods set; what begins with an underscore is no part of a model's file."""
    nodes = [node for node in ast.walk(ast.parse(dedent(source))) if isinstance(node, ast.Attribute)]
    return {
        node.attr
        for node in nodes
        if isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self" and not node.attr.startswith("_")
    }


@pytest.mark.parametrize("name", VERSIONS)
def test_what_a_class_is_made_of_changes_with_its_version(name: str) -> None:
    assert RECORDED[name].get(VERSIONS[name]) == made_of(name)


def test_versions_of_classes_only_grow() -> None:
    assert {name: max(found) for name, found in RECORDED.items()} == VERSIONS


def test_another_attribute_is_noticed() -> None:
    """The test above can fail."""
    source = inspect.getsource(EmbeddingColumns)
    assert attributes(source) == {"name_", "dims_"}
    assert attributes(source.replace("self.dims_ =", "self.dimensions_ =")) == {"name_", "dimensions_"}
