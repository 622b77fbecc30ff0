"""From claim and measurement to verdict and diagnosis; it evaluates nothing."""
