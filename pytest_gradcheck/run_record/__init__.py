"""The record of a run: every check with its report, and the tests that should have had one."""
