"""The screen: a few random directions for all coordinates, and the place of what they find."""
