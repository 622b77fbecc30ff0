"""What a report has of a check that failed: likely causes, pictures of the errors."""
