"""A classifier that fine-tunes a transformer end to end; torch is imported when one is trained or predicts."""

from batch_nlp.training.transformer.estimator import FineTunedTransformer

__all__ = ["FineTunedTransformer"]
