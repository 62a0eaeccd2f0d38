"""The feature steps, one module per step; `embedding/` is one step, `sources/` has steps of single sources.

A step takes and returns a frame, and keeps the index. It must not learn from other rows or drop a row unreported.
"""
