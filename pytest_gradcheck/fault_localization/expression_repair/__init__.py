"""Repairs by expressions: the small change of one expression that makes all gradients right."""
