"""Pytest's hooks, a few lines each; it must know no arithmetic and import no numpy."""
