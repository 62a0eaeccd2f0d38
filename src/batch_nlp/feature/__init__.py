"""The feature pipeline: raw messages become features that depend only on the message itself.

The room reads new files, runs the steps and commits to the feature store. It must not import training or inference.
"""
