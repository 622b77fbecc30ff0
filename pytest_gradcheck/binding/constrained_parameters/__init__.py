"""Constrained parameters: declarations, and coordinates along admissible moves."""
