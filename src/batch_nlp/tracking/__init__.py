"""Tracking of trainings in a tool of the user's choice, beside the reports that every run leaves."""
