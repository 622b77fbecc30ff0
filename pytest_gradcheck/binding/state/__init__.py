"""State: what the user's functions can reach besides their arguments, and how it is put back."""
