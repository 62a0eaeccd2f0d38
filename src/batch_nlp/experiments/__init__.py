"""Sweeps: the result of each job of a multirun, their ranking and its report; a sweep can be resumed.

Searching is Hydra's and Optuna's work, charts of searches are Optuna's and MLflow's. Imports no pipeline.
"""
