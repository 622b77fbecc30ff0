"""The call: arguments by name, what is checked, and how to call backward."""
