"""The inference pipeline: new files in the inbox become batches, and batches become predictions.

The room records batches, scores them once, and rescores them. It must not import the feature or training pipeline.
"""
