"""Constrained parameters: their constraints, and coordinates along admissible directions."""
