"""The training pipeline: features and labels become a model, and a gate decides whether it is published."""
