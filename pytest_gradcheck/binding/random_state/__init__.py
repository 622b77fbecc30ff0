"""Random generators, whose states are restored before each evaluation."""
