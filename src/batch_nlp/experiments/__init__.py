"""Sweeps: what each job of a multirun came to, ranked and reported, and resumed where it stopped."""
