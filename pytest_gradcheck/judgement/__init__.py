"""Verdicts on claims, and the outcome of a check; this room does not evaluate functions."""
