"""Values of arguments: pytrees, their leaves, and the coordinates of these in a vector."""
