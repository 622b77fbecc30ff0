"""The connection of pytest to checks: fixture, marker, options of a suite, and test reports."""
