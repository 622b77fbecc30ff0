"""Names of functions that compute derivatives."""

import pytest

from pytest_gradcheck.gradient_coverage.name_patterns import USUAL_PATTERNS, NamePatterns

USUAL = NamePatterns(USUAL_PATTERNS)


@pytest.mark.parametrize(
    "name",
    [
        "Affine.backward", "backward_pass", "conv_backward", "_relu_grad", "grad_W", "gradient",
        "jac", "_jacobian", "hess", "hessp", "Model.fit_deriv", "softmax_vjp", "backpropagation",
        "loss_and_grad", "sigmoid_derivative", "_grad", "compute_gradients", "rosen_der",
        "_loss_grad_lbfgs", "gradient_hessian_product", "rosenbrock_hvp",
    ],
)  # fmt: skip
def test_usual_names_of_derivatives_match(name: str) -> None:
    """Names that frameworks, solvers and coursework use, also private ones."""
    assert USUAL.match(f"nn.{name}")


@pytest.mark.parametrize(
    "name",
    [
        "forward", "no_grad", "zero_grad", "requires_grad", "jaccard_score", "check_grad",
        "approx_fprime_helper", "upgrade", "background", "test_backward", "use_jac",
        "clip_grad_norm",
    ],
)  # fmt: skip
def test_other_names_do_not_match(name: str) -> None:
    """Names that only look like those of derivatives."""
    assert not USUAL.match(f"nn.{name}")


def test_last_pattern_that_matches_decides() -> None:
    """A later pattern excludes or includes again."""
    patterns = NamePatterns(("*_grad", "!*_grad", "relu_grad"))
    assert patterns.match("nn.relu_grad")
    assert not patterns.match("nn.tanh_grad")


def test_pattern_with_dots_is_about_the_full_name() -> None:
    """It may be the whole name or its end, from a dot on."""
    patterns = NamePatterns(("RBF.__call__", "!nn.old.*"))
    assert patterns.match("nn.kernels.RBF.__call__")
    assert not patterns.match("nn.kernels.MyRBF.__call__")
    assert not patterns.match("nn.old.RBF.__call__")
