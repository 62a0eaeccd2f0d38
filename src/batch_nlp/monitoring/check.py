"""Check of the band against the classes of a dataset, before any work."""

from __future__ import annotations

from collections.abc import Sequence

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.band import check_bands, check_possible


def check_drift(settings: DriftConfig, classes: Sequence[str] | None) -> None:
    """Check that a batch can satisfy the band.

    Parameters
    ----------
    settings : DriftConfig
    classes : sequence of str or None
        The classes that the dataset lists; None where they are found in the data.

    Raises
    ------
    SettingsError
        If no batch can satisfy the band, or `drift.bands` names a class that does not exist.
    """
    if classes is not None:
        check_bands(settings, classes)
    check_possible(settings, classes)
