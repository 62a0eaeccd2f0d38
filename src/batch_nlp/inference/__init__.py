"""The inference pipeline: new messages become predictions."""
