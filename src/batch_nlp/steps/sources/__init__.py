"""Feature steps of one source each, named in that source's file in ``conf/dataset``."""
