"""Raw tables to features: values that depend on their own message alone."""
