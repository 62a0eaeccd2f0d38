"""Feature steps of single sources, named in the source's file in ``conf/dataset``.

Only this room and `sample` may name the columns of a source.
"""
