"""Tells a webhook what happened: drift, retrainings, failures. It never stops or fails the job."""
