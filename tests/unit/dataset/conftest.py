"""Settings that the tests of datasets share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.side_tables import THREE

from batch_nlp.config import Config


@pytest.fixture
def config(tmp_path: Path, make_config: Callable[..., Config]) -> Config:
    return make_config(tmp_path)


@pytest.fixture
def three(tmp_path: Path, make_config: Callable[..., Config]) -> Config:
    """Return settings with three side tables, one of them as of a time."""
    return make_config(tmp_path, *THREE)
