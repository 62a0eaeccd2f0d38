"""The command line: its arguments, help and exit codes."""

from __future__ import annotations

import gc
import os
import sys

from batch_nlp.config import PROJECT_ROOT as PROJECT_ROOT
from batch_nlp.config.arguments import read_arguments
from batch_nlp.config.help import help_page
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.streams import lasting_streams

# New objects, and collections of younger ones, before Python searches for cycles. With Python's own (700, 10, 10), the
# search took a tenth of the processor time of a run: messages are many small objects, hardly any of them in cycles.
_GC_THRESHOLDS = (100_000, 50, 100)


@lasting_streams()
def main() -> int:
    """Run the command line and return its exit code."""
    gc.set_threshold(*_GC_THRESHOLDS)
    os.umask(0o077)  # what a run writes holds messages
    # On a machine with other work, threads that spin while they wait made training ten times as slow
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        arguments = read_arguments(sys.argv[1:])
    except SettingsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if arguments.command in ("--help", "--help-all"):
        print(help_page(arguments.config_dir, every_setting=arguments.command == "--help-all"))
        return ExitCode.DONE
    from batch_nlp.launch import launch  # Hydra takes its time, and help does without

    return launch(arguments)
