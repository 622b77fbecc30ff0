"""The backward function: called, and what it returns read as claims."""
