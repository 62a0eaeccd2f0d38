"""From predictions to a verdict: whether the shares of the classes are in their band, and what may follow."""
