"""Fault localization: the statement of backward at which a gradient first goes wrong."""
