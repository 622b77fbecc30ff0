"""Gradient coverage: the hand-written derivatives of a package that no check exercised."""
