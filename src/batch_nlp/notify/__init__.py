"""Notifications to a webhook: what happened (drift, retrainings, failures), as a text or a JSON document.

A notification never stops or fails the job, and never contains the text of a message. This room imports settings and
errors only.
"""
