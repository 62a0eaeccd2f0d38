"""Readers of raw files (JSON, CSV, parquet): files become numbered rows, and broken rows are named, never dropped.

The room also knows which files there are, and which are new. It must not know what a column means: that is `dataset`.
"""
