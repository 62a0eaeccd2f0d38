"""What a dataset's file means: roles of columns, labels, classes, times, conditions, side tables, splits.

The room checks and converts raw values. It must not compute features (`steps`) or know a single source.
"""
