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
    raise ValueError("a bug")
"""


def test_an_error_counts_whose_line_was_not_run() -> None:
    assert list(unreached(SOURCE, {3, 7, 8})) == [3, 7]
    assert list(unreached(SOURCE, {7})) == [7]
    assert list(unreached(SOURCE, {8})) == []
