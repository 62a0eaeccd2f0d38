"""What a person, and the programs that watch for a person, see of batches and their verdicts."""
