"""Simulations: days of generated batches under a scenario, through the real runner, for each retraining policy.

Every policy works in a temporary folder: the user's data and models are never touched.
The runner passes itself in as a function, so nothing here imports it.
"""
