"""Where the project is."""

from __future__ import annotations

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[3]
CONF = PROJECT_ROOT / "conf"
