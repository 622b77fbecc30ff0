"""Derivatives with respect to every coordinate, one by one or all at once."""
