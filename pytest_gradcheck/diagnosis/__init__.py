"""Likely causes of a wrong gradient, each from a pattern of its errors."""
