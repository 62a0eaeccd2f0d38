"""Statistics that monitoring needs: pure functions on counts, probabilities and vectors.

Nothing here reads a file or a setting.
"""
