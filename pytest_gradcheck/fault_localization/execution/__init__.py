"""The execution of user code: its steps, the values that they make, and changes of these."""
