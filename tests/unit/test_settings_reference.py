"""The settings reference in the docs says what the schema and the configuration files say."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from batch_nlp.config import Config
from batch_nlp.config.schema.section import described

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("settings_reference", ROOT / "docs" / "settings_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_committed_page_is_up_to_date(reference: ModuleType) -> None:
    committed = (ROOT / "docs" / "settings.md").read_text()
    assert committed == reference.settings_page(), "run: uv run --no-sync python docs/settings_reference.py"


def test_every_setting_is_on_the_page_with_its_default(reference: ModuleType) -> None:
    page = reference.settings_page()

    def keys(values: dict[str, object], prefix: str = "") -> list[str]:
        free = ("model.params", "model.alternative", "dataset.label.classes", "dataset.messages.columns")
        found = []
        for name, value in values.items():
            key = prefix + name
            nested = isinstance(value, dict) and key not in free
            found += keys(value, f"{key}.") if nested else [key]  # type: ignore[arg-type] # a dict where nested
        return found

    missing = [key for key in keys(reference.composed_defaults()) if f"| `{key}` |" not in page]
    assert missing == []
    assert "| `drift.low` | `float` ≥ 0, ≤ 1 | `0.1` | " in page


def test_entries_of_a_setting_have_a_section_with_the_defaults_of_one(reference: ModuleType) -> None:
    page = reference.settings_page()
    assert "## dataset.messages.columns.NAME\n" in page
    assert "| `dataset.messages.columns.NAME.role` | `id` \\| `text` \\| `time`" in page
    assert '| `dataset.messages.columns.NAME.zone` | `text` | `"UTC"` |' in page
    assert "| `dataset.side_tables.0.key` | `text` | " in page
    assert "| `dataset.side_tables.0.columns.NAME.role` |" in page
    assert "| `dataset.messages.columns` | " in page
    assert "Config]" not in page


def test_every_setting_has_a_meaning() -> None:
    assert [key for key, field in described(Config) if not field.description] == []
