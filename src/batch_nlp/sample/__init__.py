"""Generate realistic data in the formats of the packaged datasets, for first runs and for tests.

Word lists are data files in `data/`. The room must not import a pipeline or read a dataset's settings.
"""

from __future__ import annotations

from batch_nlp.sample.generators import check_sample
from batch_nlp.sample.sample_files import deliver_labels, write_batch, write_history

__all__ = ["check_sample", "deliver_labels", "write_batch", "write_history"]
