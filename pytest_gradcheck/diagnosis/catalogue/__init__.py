"""The catalogue of hypotheses about the cause of a wrong gradient."""
