"""Check of the settings of ``drift`` before any work."""

from __future__ import annotations

from collections.abc import Sequence

from batch_nlp.config import DriftConfig
from batch_nlp.errors import SettingsError
from batch_nlp.monitoring.band import check_bands, check_possible


def check_drift(settings: DriftConfig, classes: Sequence[str] | None) -> None:
    """Check that a batch can satisfy the band, and that the values are in their ranges.

    Parameters
    ----------
    settings : DriftConfig
    classes : sequence of str or None
        The classes that the dataset lists; None where they are found in the data.

    Raises
    ------
    SettingsError
        If no batch can satisfy the band, or a value is out of its range.
    """
    _check_bounds(settings)
    if classes is not None:
        check_bands(settings, classes)
    check_possible(settings, classes)
    rules = [rule.value for rule in settings.rules]
    if not rules or len(set(rules)) < len(rules):
        raise SettingsError(f"drift.rules={rules}: need at least one rule, each only once.")
    for name, value in (
        ("confidence", settings.confidence),
        ("significance", settings.significance),
        ("change_significance", settings.change_significance),
    ):
        if not 0 < value < 1:
            raise SettingsError(f"drift.{name}={value:g}: need a value between 0 and 1.")
    for name, value, low, high in (
        ("min_share_change", settings.min_share_change, 0, 1),
        ("min_confidence_drop", settings.min_confidence_drop, 0, 1),
        ("min_auc", settings.min_auc, 0.5, 1),
    ):
        if not low <= value < high:
            raise SettingsError(f"drift.{name}={value:g}: need {low:g} or more, and less than {high}.")
    for name, value in (("min_psi", settings.min_psi), ("min_new_labels", settings.min_new_labels)):
        if not 0 <= value < float("inf"):
            raise SettingsError(f"drift.{name}={value:g}: need 0 or more.")
    for name, number, least in (
        ("min_messages", settings.min_messages, 1),
        ("window", settings.window, 1),
        ("sample", settings.sample, 100),
        ("resamples", settings.resamples, 99),
    ):
        if number < least:
            raise SettingsError(f"drift.{name}={number}: need at least {least}.")


def _check_bounds(settings: DriftConfig) -> None:
    low, high = settings.low, settings.high
    if not 0 <= low < high <= 1:
        raise SettingsError(f"drift.low={low:g} and drift.high={high:g}: need 0 <= low < high <= 1.")
    for name, band in settings.bands.items():
        numbers = all(isinstance(bound, int | float) for bound in band)
        if len(band) != 2 or not numbers or not 0 <= band[0] < band[1] <= 1:
            raise SettingsError(f"drift.bands: {name!r} has {band}; need [low, high] with 0 <= low < high <= 1.")
