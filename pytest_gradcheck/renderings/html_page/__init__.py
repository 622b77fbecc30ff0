"""A record as one self-contained HTML page, with pictures of the errors."""
