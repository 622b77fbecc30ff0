"""Sphinx configuration."""

import re
from importlib.metadata import version as installed
from typing import Any

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
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]

napoleon_google_docstring = False
napoleon_use_ivar = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# Types in numpydoc are prose ("tuple of int"), and other projects' pages are not fetched.
nitpick_ignore_regex = [("py:.*", ".*")]
suppress_warnings = ["ref.python"]

#: What only Sphinx reads is in comments, so that hosts of code do not show it.
_FOR_SPHINX = re.compile(r"^<!-- sphinx\n(.*?)\n-->$", re.DOTALL | re.MULTILINE)

#: A page in the list of an index page: an item that begins with a link, to no folder above.
_LISTED = re.compile(r"^- \[[^]]*\]\((?!\.\.)(\S+)\.md\)", re.MULTILINE)


def read_source(_app: Any, name: str, source: list[str]) -> None:
    """Uncover what is for Sphinx, and give an index page a tree of the pages that it lists."""
    source[0] = _FOR_SPHINX.sub(r"\1", source[0])
    if name.endswith("index") and (listed := _LISTED.findall(source[0])):
        source[0] += "\n".join(["\n```{toctree}", ":hidden:", "", *listed, "```", ""])


def name_language(
    _app: Any, name: str, _template: str, context: dict[str, Any], _doctree: Any
) -> None:
    """Say of a page in Chinese that it is, so that browsers choose its glyphs."""
    if name.endswith(".zh"):
        context["language"] = "zh"


def setup(app: Any) -> None:
    """Register what is done before Markdown is parsed and when a page is written."""
    app.connect("source-read", read_source)
    app.connect("html-page-context", name_language)
