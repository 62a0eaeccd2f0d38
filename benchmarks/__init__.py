"""How fast the stages are and how much memory they take, each beside a baseline and a limit of the machine.

``python -m benchmarks`` (or ``make bench``) measures and writes the tables and plots of ``docs/performance.md``;
``python -m benchmarks --check`` (or ``make bench-check``) compares ratios of a small run with ``floors.json``.
"""
