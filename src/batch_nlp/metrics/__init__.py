"""The figures of a classifier: confusion matrix, accuracy, precision, recall and F1, and their bootstrap.

Pure functions on arrays: nothing here reads a file or a setting, or imports another room of the project.
"""
