"""What the file of a dataset means: roles of columns, labels, splits, side tables."""
