"""The page for those who come from another checker."""

import inspect
import re

import pytest

from tests.checkout import ROOT

PAGE = (ROOT / "docs/how-to/migrating.md").read_text("utf-8")

#: Each section with the function whose options it lists.
CHECKERS = {
    "PyTorch": ("torch.autograd.gradcheck", "gradcheck"),
    "JAX": ("jax.test_util", "check_grads"),
    "scipy": ("scipy.optimize", "check_grad"),
    "autograd": ("autograd.test_util", "check_grads"),
}


@pytest.mark.parametrize("section", CHECKERS)
def test_tables_have_every_option(section: str) -> None:
    """Of the version that is installed."""
    module, name = CHECKERS[section]
    function = getattr(pytest.importorskip(module), name)
    options = set(inspect.signature(inspect.unwrap(function)).parameters)
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    listed = set[str]()
    for row in re.findall(r"^\| (.+?) \|", text, re.MULTILINE):
        listed.update(re.findall(r"\w+", row))
    # A decorator of autograd passes its options on, in these.
    assert options - listed - {"fun", "nary_op_args", "nary_op_kwargs"} == set()
