"""How a pytest test reaches a check: fixture, marker, options of a suite; it measures nothing."""
