"""Days of batches under a scenario, and what each policy makes of them."""
