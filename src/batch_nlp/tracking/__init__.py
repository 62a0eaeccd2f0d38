"""Tracking: trainings and versions in MLflow, in addition to the reports of each run.

The registry in ``paths.models`` stays the source of truth: nothing here decides about models or fails a run.
Imports `config`, `dataset` and `storage`, and no pipeline.
"""
