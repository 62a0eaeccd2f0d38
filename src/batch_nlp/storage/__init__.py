"""What is kept on disk: layers, feature store, model registry, ledger, atomic files and the lock."""
