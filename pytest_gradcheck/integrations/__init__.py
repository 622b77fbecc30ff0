"""Integrations: arrays and automatic differentiation of other packages, which are not imported."""
