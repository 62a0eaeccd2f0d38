"""A dataset's file, written from a look at the data."""
