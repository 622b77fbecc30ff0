"""The course exercise on gradient checking, first in one dimension, then for a network."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError, check_gradient, gradcheck

# One parameter: J(theta) = theta * x


def forward_propagation(x, theta):
    return theta * x


def backward_propagation(x, theta):
    return x


def test_one_parameter():
    gradcheck(forward_propagation, backward_propagation, 2, 4, wrt="theta")


@pytest.mark.gradcheck(backward=backward_propagation, wrt="theta")
@pytest.mark.parametrize("x, theta", [(2.0, 4.0), (-1.5, 0.25)])
def test_one_parameter_marked(x, theta):
    return theta * x


# Three layers: linear, relu, linear, relu, linear, sigmoid; parameters in a dict


def forward_propagation_n(X, Y, parameters):
    m = X.shape[1]
    W1, b1, W2, b2, W3, b3 = (parameters[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = np.maximum(Z2, 0)
    Z3 = W3 @ A2 + b3
    A3 = 1 / (1 + np.exp(-Z3))
    cost = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    return cost, (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3)


def backward_propagation_n(X, Y, cache):
    m = X.shape[1]
    Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3 = cache
    dZ3 = A3 - Y
    dZ2 = (W3.T @ dZ3) * (A2 > 0)
    dZ1 = (W2.T @ dZ2) * (A1 > 0)
    gradients = {"dZ3": dZ3, "dZ2": dZ2, "dZ1": dZ1}
    for layer, dZ, A in ((1, dZ1, X), (2, dZ2, A1), (3, dZ3, A2)):
        gradients[f"dW{layer}"] = dZ @ A.T / m
        gradients[f"db{layer}"] = np.sum(dZ, axis=1, keepdims=True) / m
    return gradients


def backward_with_two_bugs(X, Y, cache):
    gradients = backward_propagation_n(X, Y, cache)
    gradients["dW2"] *= 2
    gradients["db1"] *= 4
    return gradients


def exercise():
    np.random.seed(1)
    X = np.random.randn(4, 3)
    Y = np.array([1, 1, 0])
    shapes = {"W1": (5, 4), "b1": (5, 1), "W2": (3, 5), "b2": (3, 1), "W3": (1, 3), "b3": (1, 1)}
    return X, Y, {name: np.random.randn(*shape) for name, shape in shapes.items()}


def test_network():
    gradcheck(forward_propagation_n, backward_propagation_n, *exercise(), wrt="parameters")


def test_both_bugs_are_named():
    with pytest.raises(GradcheckError) as failure:
        gradcheck(forward_propagation_n, backward_with_two_bugs, *exercise(), wrt="parameters")
    report = failure.value.report
    wrong = {parameter.name: parameter.wrong for parameter in report.parameters if parameter.wrong}
    assert wrong == {"parameters['W2']": 4, "parameters['b1']": 4}
    assert report["b1"].diagnosis[0].evidence["factor"] == 4
    assert report["W2"].diagnosis[0].evidence["factor"] == 2


# The classic recipe: epsilon = 1e-7, formula (1), and one relative difference, formula (2)


@pytest.mark.parametrize(
    ("backward", "difference"),
    [(backward_with_two_bugs, 0.28509315), (backward_propagation_n, 1.2e-7)],
)
def test_classic_recipe(backward, difference):
    report = check_gradient(
        forward_propagation_n, backward, *exercise(), wrt="parameters", step=1e-7
    )
    assert report.relative_difference == pytest.approx(difference, abs=1e-8)


if __name__ == "__main__":
    for backward in (backward_with_two_bugs, backward_propagation_n):
        report = check_gradient(forward_propagation_n, backward, *exercise(), wrt="parameters")
        print(f"{backward.__name__}: {'passed' if report.passed else 'FAILED'}\n\n{report}\n")
