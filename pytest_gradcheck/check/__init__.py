"""A gradient check: the public assertions, the steps of a check, and its modes."""
