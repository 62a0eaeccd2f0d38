"""Entry point: ``uv run start_batch_nlp.py pipeline=inference``; ``--help`` lists everything else."""

import sys

from batch_nlp.cli import main

if __name__ == "__main__":
    sys.exit(main())
