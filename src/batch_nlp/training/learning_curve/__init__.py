"""How quality grows with the number of training messages, and whether more of them would help."""

from batch_nlp.training.learning_curve.measure import LearningCurve, Point, Skipped, measure_learning_curve
from batch_nlp.training.learning_curve.report import curve_markdown, curve_page, show_curve

__all__ = [
    "LearningCurve",
    "Point",
    "Skipped",
    "curve_markdown",
    "curve_page",
    "measure_learning_curve",
    "show_curve",
]
