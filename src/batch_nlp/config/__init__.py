"""Everything about settings: schema, composition by Hydra, the builder of steps, the list of code they may name.

Imports only ``errors``. The schema is loaded when first needed, since ``--help`` does without it.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

PROJECT_ROOT = Path(__file__).resolve().parents[3]
CONF = PROJECT_ROOT / "conf"

if TYPE_CHECKING:
    from batch_nlp.config.load import parse as parse
    from batch_nlp.config.load import plain as plain
    from batch_nlp.config.schema import *  # noqa: F403 # the names that __getattr__ finds
else:

    def __getattr__(name: str) -> Any:
        home = "load" if name in ("parse", "plain") else "schema"
        return getattr(import_module(f"batch_nlp.config.{home}"), name)
