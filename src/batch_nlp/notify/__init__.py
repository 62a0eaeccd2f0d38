"""Tells a webhook what happened: drift, retrainings, failures. It never stops or fails the job."""

from batch_nlp.notify.notice import Notice
from batch_nlp.notify.notifier import check_notify, failures_told, notify

__all__ = ["Notice", "check_notify", "failures_told", "notify"]
