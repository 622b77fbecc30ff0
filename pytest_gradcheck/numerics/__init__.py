"""Derivatives of functions of a vector, each with an error bound; knows no names, no verdicts."""
