"""Monitoring: from a batch's predictions to a verdict, and which alarms may lead to a retraining.

It reads predictions, samples and the champion's reference; it never imports training, inference or feature code. The
rules are in `rules`, the 10 % band is in `band`, and the tests against the hold-out are in `reference_tests`.
"""
