"""Explanations: why a model classifies a message as it does, by groups of columns and by words.

Explains fitted models and changes nothing. The store and the registry are the runner's business.
"""

from batch_nlp.training.explanation.explanation_report import explanation_page, show_explanation
from batch_nlp.training.explanation.message_explanation import Explanation, explain_message, explanation_name

__all__ = ["Explanation", "explain_message", "explanation_name", "explanation_page", "show_explanation"]
