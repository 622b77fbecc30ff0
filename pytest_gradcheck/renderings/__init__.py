"""Texts that are made from the record of a run, one module for each format."""
