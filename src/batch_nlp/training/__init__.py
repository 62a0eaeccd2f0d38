"""The training pipeline: features and labels become a candidate, and a gate decides whether it is published.

It never imports feature, inference or monitoring code: the runner passes in what training needs of them. The decision
weights are in `decision_weights`, the gate is in `gate` and `comparison`, the classifiers' settings are in conf/model.
"""
