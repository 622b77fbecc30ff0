"""From a problem and its measurement to the data of a report."""
