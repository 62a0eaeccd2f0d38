"""Choices of settings; the value of each is its name."""

from __future__ import annotations

from enum import StrEnum

Stage = StrEnum(
    "Stage",
    [
        "sample",
        "feature",
        "training",
        "inference",
        "rollback",
        "explain",
        "learning_curve",
        "status",
        "simulate",
        "verify",
        "requeue",
        "init",
    ],
)
# Part of the sample that pipeline=sample writes
SamplePart = StrEnum("SamplePart", ["history", "batch", "labels"])
EmbeddingBackend = StrEnum("EmbeddingBackend", ["static", "minilm", "sentence_transformers", "none"])
# Meaning of a source column
Role = StrEnum("Role", ["id", "text", "time", "category", "number", "key", "raw", "ignore"])
# Method of choosing the held-out messages
Split = StrEnum("Split", ["time", "random", "group"])
# Remedy for unequal class sizes
Balance = StrEnum("Balance", ["none", "weights", "smote"])
# Inputs of a model
Input = StrEnum("Input", ["tabular", "embedding", "ngrams"])
# Method of turning a classifier's scores into calibrated probabilities
Calibration = StrEnum("Calibration", ["none", "temperature", "logistic", "isotonic"])
# Tracker of runs, in addition to their own reports
TrackingBackend = StrEnum("TrackingBackend", ["none", "mlflow"])
NotifyFormat = StrEnum("NotifyFormat", ["none", "json", "slack"])
# Event that a notification reports
Event = StrEnum("Event", ["drift", "held_back", "promotion", "rejection", "failure"])
# Change of the messages in a simulation
Scenario = StrEnum(
    "Scenario",
    [
        "stable",
        "sudden_shift",
        "gradual_shift",
        "new_vocabulary",
        "rare_class",
        "late_labels",
        "poisoned_labels",
        "empty_days",
        "bursts",
    ],
)
# Rule for retraining in a simulation
Policy = StrEnum("Policy", ["never", "always", "rule"])
# Encoding of categories as numbers
Encoding = StrEnum("Encoding", ["one_hot", "target"])
# Rule that can declare a batch drifted
DriftRule = StrEnum("DriftRule", ["share", "interval", "reference", "distance", "confidence", "embedding"])
# File format of predictions
OutputFormat = StrEnum("OutputFormat", ["parquet", "csv"])
# How many of the rules must trigger
Combine = StrEnum("Combine", ["any", "all"])
# Source of the model and training settings of a retraining
RetrainWith = StrEnum("RetrainWith", ["champion", "settings"])
DriftResponse = StrEnum("DriftResponse", ["retrain", "reweight", "alert", "none"])
