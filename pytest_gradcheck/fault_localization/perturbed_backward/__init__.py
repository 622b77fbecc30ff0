"""Backward with a value changed: what gradients depend on."""
