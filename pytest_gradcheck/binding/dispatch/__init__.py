"""Forward at perturbed points: one by one, in batches, or through an executor."""
