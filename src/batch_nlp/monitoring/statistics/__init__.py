"""What the rules compute with: pure functions on counts, probabilities and vectors."""
