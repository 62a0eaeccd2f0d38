"""The steps of the feature pipeline, one module a step; `embedding` is a package of its own."""
