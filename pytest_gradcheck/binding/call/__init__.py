"""The user's call: arguments by name, what is checked, how backward is called."""
