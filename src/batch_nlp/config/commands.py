"""Commands for a person to type, with the settings that select data, dataset and models."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString

from batch_nlp.config import PROJECT_ROOT

# Where `make` installs uv if it finds none
_OWN_UV = ".uv/bin/uv"
# Settings without which another command would use other data, or read the messages differently
_PLACES = re.compile(r"\+*(?:dataset|paths|allow|inference\.champion_of)[.=]")


def places_of_this_run() -> list[str]:
    """Return the flags and settings of this command line that another command on the same data needs.

    Empty if the settings come from no command line.
    """
    if not HydraConfig.initialized():
        return []
    settings = [setting for setting in HydraConfig.get().overrides.task if _PLACES.match(setting)]
    return [*(word for folder in own_folders() for word in ("--config-dir", folder)), *settings]


def own_folders() -> list[str]:
    """Return the user's own folders of settings, which ``--config-dir`` names."""
    sources = HydraConfig.get().runtime.config_sources if HydraConfig.initialized() else []
    return [source.path for source in sources if source.provider == "hydra.searchpath in command-line"]


def command(settings: Iterable[str], places: Iterable[str]) -> str:
    """Return a shell command for the folder of the project, with settings such as ``pipeline=status``.

    uv may exist only where `make` has installed it.

    Examples
    --------
    >>> command(["pipeline=rollback"], ["paths.data=/srv/my data"])  # doctest: +ELLIPSIS
    "...uv run start_batch_nlp.py pipeline=rollback 'paths.data=/srv/my data'"
    """
    return f"{_uv()} run start_batch_nlp.py {shlex.join([*settings, *places])}"


def python_command(code: str) -> str:
    """Return a shell command that runs Python code in the folder of the project."""
    return f"{_uv()} run python -c {shlex.quote(code)}"


def _uv() -> str:
    return _OWN_UV if shutil.which("uv") is None and (PROJECT_ROOT / _OWN_UV).exists() else "uv"


def explain_command(message_id: str, places: Iterable[str]) -> str:
    r"""Return the command that explains a message, whatever its id contains.

    Examples
    --------
    >>> explain_command("007", [])  # doctest: +ELLIPSIS
    '...uv run start_batch_nlp.py pipeline=explain \'message_id="007"\''
    """
    # quotes keep an id text; a ${ in it must not refer to another setting
    quoted = QuotedString(message_id.replace("${", "\\${"), Quote.double).with_quotes()
    return command(["pipeline=explain", f"message_id={quoted}"], places)
