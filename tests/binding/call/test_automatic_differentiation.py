"""A backward that a package makes of forward, in the structure of what is checked."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, Report, check_gradient

X, W = np.array([[0.5, 1.0], [2.0, -1.0], [0.3, 0.7]]), np.array([0.4, -0.8])


def loss(w: Any, X: Any, scale: float = 2.0) -> Any:
    """Return a number."""
    return scale * anp.sum(anp.tanh(anp.dot(X, w)) ** 2)


def check(forward: Any, *args: Any, **options: Any) -> Report:
    """Check a function against its automatic derivative."""
    return check_gradient(forward, "autograd", *args, **options)


@pytest.mark.parametrize("wrt", [None, "w", ("X", "w")])
def test_what_is_checked_is_differentiated_by(wrt: Any) -> None:
    """And what is not keeps its type."""
    report = check(loss, W, X, wrt=wrt)
    names = ["w", "X"] if wrt is None else [wrt] if isinstance(wrt, str) else list(wrt)
    assert (report.verdict, report.kind) == ("correct", "gradient")
    assert [parameter.name for parameter in report.parameters] == names


def test_arguments_by_keyword() -> None:
    """They are passed as the user passed them."""
    assert check(loss, W, kwargs={"X": X, "scale": 3.0}, wrt="w").verdict == "correct"


def test_parameters_in_containers() -> None:
    """Gradients have the same structure."""
    parameters = {"layers": [{"w": W}], "scale": 0.5}

    def forward(p: Any) -> Any:
        return p["scale"] * loss(p["layers"][0]["w"], X)

    report = check(forward, parameters)
    assert report.verdict == "correct"
    assert [p.name for p in report.parameters] == ["p['layers'][0]['w']", "p['scale']"]


def test_outputs_in_a_container() -> None:
    """Each has its upstream gradient."""
    report = check(lambda w: {"a": anp.sin(w), "b": (anp.sum(w**2),)}, W)
    assert (report.verdict, report.kind) == ("correct", "vjp")


def test_a_cache_is_no_output() -> None:
    """It is not differentiated."""
    report = check(lambda w: (anp.sum(w**3), {"w": w, "n": 3}), W, has_cache=True)
    assert report.verdict == "correct"


def test_a_wrong_rule_is_found() -> None:
    """The rule is the user's own; the package applies it."""
    from autograd.extend import defvjp, primitive

    square = primitive(lambda x: x**2)
    defvjp(square, lambda result, x: lambda g: 3 * g * x)
    report = check(lambda w: anp.sum(square(w)), W)
    assert report.verdict == "wrong"
    assert "gradient of lambda by autograd's automatic differentiation" in str(report)


def test_attributes_are_refused() -> None:
    """Only a module of PyTorch can be called with other parameters."""

    class Layer:
        def __init__(self) -> None:
            self.w = W.copy()

        def forward(self, x: Any) -> Any:
            return loss(self.w, x)

    with pytest.raises(GradcheckUsageError) as error:
        check(Layer().forward, X, wrt="self.w")
    assert " ".join(str(error.value).split()) == (
        "backward='autograd' differentiates by arguments of forward, and self.w are attributes. "
        "Let forward take the parameters."
    )


def test_complex_parameters_are_refused() -> None:
    """Where the convention of their gradients is another one."""
    with pytest.raises(GradcheckUsageError, match="another convention for complex parameters"):
        check(lambda z: anp.sum(anp.abs(z) ** 2), W + 1j)


def test_an_unknown_package_is_named() -> None:
    """With those that are known."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(loss, "tensorflow", W, X)
    assert " ".join(str(error.value).split()) == (
        "backward='tensorflow': it must be a function, or 'torch', 'jax', 'autograd' for what "
        "that package's automatic differentiation makes of forward, or '.grad' for objects that "
        "keep their gradient there."
    )
