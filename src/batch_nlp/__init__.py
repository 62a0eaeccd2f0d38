"""Batch classification of customer messages with feature, training and inference pipelines."""

__version__ = "0.1.0"
