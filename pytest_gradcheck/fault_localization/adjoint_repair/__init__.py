"""Repairs of backward with the derivatives by all values of forward, which adjoints give."""
