"""What ``--help`` and ``--help-all`` print."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from batch_nlp.config import CONF

_WIDTH = 100
_HELP = """\
batch-nlp classifies messages in batches: features, a model, predictions, and a new model when the
predictions drift.

Usage: uv run start_batch_nlp.py [FLAGS] [GROUP=CHOICE] [SETTING=VALUE] ...

Groups and their choices; a group with + is added, as in +search=xgboost
{groups}

Examples, each after uv run start_batch_nlp.py
  (nothing)                                        features, model, predictions on the sample
  pipeline=inference                               score the inbox: what a scheduler runs
  dataset=yelp dataset.raw_dir=DIR                 the whole job on the Yelp Open Dataset in DIR
  pipeline=init init.name=mine init.file=FILE      look at your file, write conf/dataset/mine.yaml
  --config-dir DIR dataset=NAME                    your own messages, by DIR/dataset/NAME.yaml
  -m pipeline=training seed=1,2 sweep=NAME         one job per choice; NAME again resumes the sweep
  +search=xgboost sweep=NAME                       search for the best parameters
  pipeline=explain message_id=ID                   why the champion decides on a message as it does
  pipeline=status                                  the state of the system on one screen
  pipeline=verify                                  check everything that runs keep
  pipeline=rollback                                make the previous champion the champion again
  pipeline=simulate simulation.scenario=bursts     replay days of batches, compare when to retrain

Flags
  -m                     run all combinations of comma-separated values
  --cfg job --resolve    print the settings of a call and stop; --package NAME prints a part
  --config-dir DIR       also read settings from DIR
  --help-all             all settings with their meaning; docs/settings.md adds their defaults
  --info, --hydra-help   where settings come from; what Hydra offers
  -sc install=bash       shell completion

Exit codes: 0 done, 1 bug, 2 settings, 3 data, 4 drift not acted on, 5 candidate failed its gate,
75 locked (try again later), 130 interrupted"""


def help_page(own: Path | None, every_setting: bool) -> str:
    """Return the page, with the choices in the user's own folder of settings; all settings follow if asked for."""
    page = _HELP.format(groups="\n".join(_groups([CONF, *([] if own is None else [own])])))
    return f"{page}\n\nSettings\n{_settings()}" if every_setting else page


def _groups(folders: list[Path]) -> list[str]:
    defaults = re.findall(r"^  - (\w+):", (CONF / "config.yaml").read_text(), re.MULTILINE)
    choices: dict[str, set[str]] = {}
    for file in sorted(file for folder in folders for file in folder.glob("*/*.yaml")):
        choices.setdefault(file.parent.name, set()).add(file.stem)
    lines = []
    for group, names in sorted(choices.items(), key=lambda item: (item[0] not in defaults, item[0])):
        head = f"  {group if group in defaults else f'+{group}'}: "
        lines += textwrap.wrap(
            ", ".join(sorted(names)), _WIDTH, initial_indent=head, subsequent_indent=" " * 4, break_on_hyphens=False
        )
    return lines


def _settings() -> str:
    from batch_nlp.config.schema.config import Config
    from batch_nlp.config.schema.section import described

    lines = []
    for key, field in described(Config):
        text = textwrap.wrap(field.description or "", _WIDTH - 6)
        lines += [f"  {key}", *(f"      {line}" for line in text)]
    return "\n".join(lines)
