"""Generates a realistic data set in the Yelp Open Dataset's own format, for the first run and for tests."""

from __future__ import annotations

from batch_nlp.sample.settings import check as check_sample
from batch_nlp.sample.writer import deliver_labels, write_batch, write_history

__all__ = ["check_sample", "deliver_labels", "write_batch", "write_history"]
