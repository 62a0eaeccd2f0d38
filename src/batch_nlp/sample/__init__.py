"""Generates realistic data in the formats of the datasets that come with the project, for first runs and for tests."""

from __future__ import annotations

from batch_nlp.sample.generators import check_sample
from batch_nlp.sample.sample_files import deliver_labels, write_batch, write_history

__all__ = ["check_sample", "deliver_labels", "write_batch", "write_history"]
