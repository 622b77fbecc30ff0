"""Values of arguments: trees of them, their arrays, and coordinates in a vector."""
