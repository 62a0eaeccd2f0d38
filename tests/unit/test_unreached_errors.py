"""Which errors no test has raised, by the lines that no test has run."""

from __future__ import annotations

from tools.unreached_errors import unreached

SOURCE = """\
def check(value):
    if value < 0:
        raise DataError(
            f"{value}: below 0"
        )
    if value > 1:
        return SettingsError("above 1")
    if value is None:
        raise not_given("value")
    if value == 0.5:
        raise DamagedError(value)
    raise ValueError(str(value))
"""


def test_an_error_counts_whose_line_was_not_run() -> None:
    assert list(unreached(SOURCE, {3, 7, 12})) == [3, 7]
    assert list(unreached(SOURCE, {7})) == [7]
    assert list(unreached(SOURCE, {12})) == []


def test_errors_of_any_module_count_and_those_that_a_function_makes() -> None:
    assert list(unreached(SOURCE, {9, 11, 12})) == [9, 11]
