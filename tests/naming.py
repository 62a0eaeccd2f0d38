"""What a message must name (settings, files, columns, classes, figures, commands), however it is worded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeVar

import pytest

E = TypeVar("E", bound=BaseException)


def names(message: object, name: object) -> bool:
    """Return whether `message` names `name` as a whole: 3 is not named by 13, 3.5 or 3,000.

    A whole number of thousands may have its commas, and a path is known by its last part, wherever it is shown from.
    """
    if isinstance(name, Path):
        return names(message, name.name)
    if isinstance(name, int) and name > 999:
        return names(message, f"{name:,}") or names(message, str(name))
    wanted = str(name)
    before = r"(?<![\w])(?<![\d][.,])" if wanted[0].isdigit() else r"(?<!\w)" if wanted[0].isalnum() else ""
    after = r"(?![\w]|[.,]\d)" if wanted[-1].isdigit() else r"(?!\w)" if wanted[-1].isalnum() else ""
    return bool(re.search(before + re.escape(wanted) + after, str(message)))


def assert_names(message: object, *wanted: object) -> None:
    """Fail unless `message` names each of `wanted`."""
    missing = [name for name in wanted if not names(message, name)]
    assert not missing, f"{missing} not named by: {message}"


@contextmanager
def refusal(kind: type[E], *wanted: object) -> Iterator[pytest.ExceptionInfo[E]]:
    """Expect an error of `kind` whose message names each of `wanted`."""
    with pytest.raises(kind) as error:
        yield error
    assert_names(error.value, *wanted)


def assert_ended(run: CompletedProcess[str], code: int, *wanted: object) -> None:
    """Fail unless `run` ended with exit code `code`, and its stderr names each of `wanted`."""
    assert run.returncode == code, run.stderr
    assert_names(run.stderr, *wanted)


def settings_in(message: object) -> list[str]:
    """Return the settings in single quotes that a message advises, as a command line takes them."""
    return re.findall(r"'(\+{0,2}[a-z]\w*(?:\.\w+)*=[^']*)'", str(message))


def columns_in(message: object) -> list[str]:
    """Return the columns that a message declares, each as a line of a dataset's file."""
    return re.findall(r'(?:"[^"]+"|[\w.]+): \{[^}]*\}', str(message))


def assert_line_names(text: str, *wanted: object) -> None:
    """Fail unless one line of `text` names each of `wanted`: figures alone are everywhere in a log."""
    assert any(all(names(line, name) for name in wanted) for line in text.splitlines()), f"{wanted} not in: {text}"
