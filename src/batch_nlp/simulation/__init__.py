"""Replays days of batches through the real runner, to see when retraining pays."""
