"""Forward at points around the user's: one by one, many in one call, or handed to workers."""
