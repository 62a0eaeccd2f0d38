from __future__ import annotations

import pytest

from batch_nlp import errors
from batch_nlp.errors import ExitCode, did_you_mean, examples


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.AccountingError, 1), (errors.SettingsError, 2), (errors.DataError, 3), (errors.DriftError, 4),
        (errors.GateError, 5), (errors.LockedError, 75), (errors.BatchNlpError, 1),
    ],
)  # fmt: skip
def test_each_kind_of_failure_has_the_exit_code_that_schedulers_know(
    error: type[errors.BatchNlpError], code: int
) -> None:
    assert error.exit_code == code
    assert issubclass(error, errors.BatchNlpError)


def test_errors_of_the_system_and_of_the_program_have_exit_codes_too() -> None:
    found = [errors.exit_code_of(error) for error in (OSError(), ValueError(), KeyboardInterrupt(), errors.GateError())]
    assert found == [3, 1, 130, 5]


def test_a_file_of_one_unreadable_row_is_told_in_the_singular() -> None:
    assert "1 rows" not in errors.none_readable(1)
    assert "3 rows" in errors.none_readable(3)


def test_success_is_zero() -> None:
    assert ExitCode.DONE == 0


@pytest.mark.parametrize(
    ("name", "valid", "hint"),
    [
        ("max_deph", ["max_depth", "eta"], "Did you mean 'max_depth'?"),
        ("training.hold_out", ["training.holdout", "training.split"], "Did you mean 'training.holdout'?"),
        ("zzz", ["b", "a"], "Valid: a, b."),
    ],
)
def test_the_nearest_valid_name_is_told_or_all_of_them(name: str, valid: list[str], hint: str) -> None:
    assert did_you_mean(name, valid) == hint


def test_at_most_five_examples_are_shown_and_long_ones_are_cut() -> None:
    assert examples(range(9)) == "0, 1, 2, 3, 4"
    assert examples(["x" * 500]) == "x" * 97 + "..."
    assert examples([]) == ""
    assert examples(iter("abc"), limit=2) == "a, b"
