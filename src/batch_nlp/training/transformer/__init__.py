"""A classifier that fine-tunes a transformer end to end.

Torch and transformers are an extra: only `network` and `tuning` import them, when a model is trained or predicts.
"""

from batch_nlp.training.transformer.estimator import FineTunedTransformer

__all__ = ["FineTunedTransformer"]
