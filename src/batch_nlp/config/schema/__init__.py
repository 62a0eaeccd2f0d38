"""The typed schema of ``conf/``: each setting with its type, its range and its meaning.

Imports nothing of the project but ``errors``.
"""
