"""Figures of a classifier: the confusion matrix, precision, recall, F1 and accuracy, and their bootstrap.

Imports nothing of the project. It reads no files and knows neither models nor settings.
"""
