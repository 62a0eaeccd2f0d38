"""Why a model decides on a message as it does."""

from batch_nlp.training.explanation.explain import Explanation, explain_message, explanation_name
from batch_nlp.training.explanation.page import explanation_page
from batch_nlp.training.explanation.terminal import show_explanation

__all__ = ["Explanation", "explain_message", "explanation_name", "explanation_page", "show_explanation"]
