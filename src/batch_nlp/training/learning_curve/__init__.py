"""How quality grows with the number of training messages, and whether more of them would help."""
