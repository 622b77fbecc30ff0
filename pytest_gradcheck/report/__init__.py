"""The report of a check and its renderings; it computes nothing."""
