"""Numerical derivatives of functions of a vector, with error bounds; without names or verdicts."""
