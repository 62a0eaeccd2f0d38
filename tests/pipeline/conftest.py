"""The tests of this folder run many nights, and none of them looks at a chart."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_charts(batches_without_charts: None) -> None:
    """Save the time that drawing takes."""
