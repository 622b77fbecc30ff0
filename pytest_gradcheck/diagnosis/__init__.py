"""Likely causes of a wrong gradient, from the pattern of its errors."""
