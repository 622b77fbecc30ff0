"""Sphinx configuration."""

from importlib.metadata import version as installed

project = "pytest-gradcheck"
author = "The pytest-gradcheck developers"
release = installed("pytest-gradcheck")
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = "pytest-gradcheck"

napoleon_google_docstring = False
napoleon_use_ivar = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# Types in numpydoc are prose ("tuple of int"), and other projects' pages are not fetched.
nitpick_ignore_regex = [("py:.*", ".*")]
suppress_warnings = ["ref.python"]
