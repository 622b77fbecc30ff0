"""Backward: calling it, and reading what it returns as claims."""
