"""Calling forward at many points: one by one, in batches, or through an executor."""
