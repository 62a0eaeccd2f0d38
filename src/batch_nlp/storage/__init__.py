"""Everything kept on disk: layers, raw files, feature store, registry, accounts, seals, atomic files and the lock.

The room reads and writes; it decides nothing. It imports only `config`, `errors` and the small modules below them:
no dataset, step or pipeline.
"""
