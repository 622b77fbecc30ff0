"""Forward: a working copy of its arguments, its outputs, and its domain."""
