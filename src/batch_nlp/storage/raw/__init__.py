"""Raw files as numbered rows, read without trust in them."""
