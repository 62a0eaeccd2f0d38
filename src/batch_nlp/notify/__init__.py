"""Tells people of drift, retrainings and failures, by webhook."""
