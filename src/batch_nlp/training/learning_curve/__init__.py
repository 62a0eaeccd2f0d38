"""Learning curves: how quality grows with the number of training messages, and whether more messages would help.

Trains and measures models on growing shares. Publishes nothing.
"""
