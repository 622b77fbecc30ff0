"""Makes the data of a report from a problem and its measurement."""
