"""What a user would write without this project: short, honest scripts with the usual libraries.

Each function takes a `Task` and returns `Done`. Imports, and the training of a model that is only to be used, are
outside of the clock, in favour of the baseline; this project's own commands are measured from start to end.
"""
