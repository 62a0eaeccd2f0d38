"""Commands for a person to type, with the settings that say which data, dataset and models are meant."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString

START = "uv run start_batch_nlp.py"
# Settings without which another run would look elsewhere, or take the messages for others
_PLACES = re.compile(r"\+*(?:dataset|paths|allow|inference\.champion_of)[.=]")


def places_of_this_run() -> list[str]:
    """Return the flags and settings of this process's command line that another command on the same data needs.

    Empty where the settings come from no command line.
    """
    if not HydraConfig.initialized():
        return []
    settings = [setting for setting in HydraConfig.get().overrides.task if _PLACES.match(setting)]
    return [*(word for folder in own_folders() for word in ("--config-dir", folder)), *settings]


def own_folders() -> list[str]:
    """Return the folders of settings that ``--config-dir`` of this process's command line names."""
    sources = HydraConfig.get().runtime.config_sources if HydraConfig.initialized() else []
    return [source.path for source in sources if source.provider == "command-line"]


def command(settings: Iterable[str], places: Iterable[str]) -> str:
    """Return what to type in a shell.

    Parameters
    ----------
    settings : iterable of str
        What to run, such as ``pipeline=status``.
    places : iterable of str
        From `places_of_this_run`.

    Examples
    --------
    >>> command(["pipeline=rollback"], ["paths.data=/srv/my data"])
    "uv run start_batch_nlp.py pipeline=rollback 'paths.data=/srv/my data'"
    """
    return f"{START} {shlex.join([*settings, *places])}"


def explain_command(message_id: str, places: Iterable[str]) -> str:
    r"""Return the command that explains a message, whatever its id holds.

    Examples
    --------
    >>> explain_command("007", [])
    'uv run start_batch_nlp.py pipeline=explain \'message_id="007"\''
    """
    # in quotes an id stays text, and a ${ in it is no reference to another setting
    quoted = QuotedString(message_id.replace("${", "\\${"), Quote.double).with_quotes()
    return command(["pipeline=explain", f"message_id={quoted}"], places)
