"""Binding: from a call as the user wrote it to a gradient problem in numbers."""
