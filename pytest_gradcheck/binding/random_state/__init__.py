"""Random generators, and their states put back before each evaluation."""
