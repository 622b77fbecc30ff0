"""Three layers as in a course: the parameters in a dict, the steps in a tuple called cache."""

import numpy as np

EDITED = ("backward_propagation",)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(0, x)


def forward_propagation(X, Y, parameters):
    """
    Implements the forward propagation and computes the cost of the three layers
    LINEAR->RELU->LINEAR->RELU->LINEAR->SIGMOID.

    Arguments:
    X -- training set for m examples, of shape (input size, m)
    Y -- labels for m examples, of shape (1, m)
    parameters -- python dictionary containing "W1", "b1", "W2", "b2", "W3", "b3"

    Returns:
    cost -- the cost function (logistic cost for m examples)
    """
    # retrieve parameters
    m = X.shape[1]
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]
    W3 = parameters["W3"]
    b3 = parameters["b3"]

    # LINEAR -> RELU -> LINEAR -> RELU -> LINEAR -> SIGMOID
    Z1 = np.dot(W1, X) + b1
    A1 = relu(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = relu(Z2)
    Z3 = np.dot(W3, A2) + b3
    A3 = sigmoid(Z3)

    # Cost
    log_probs = np.multiply(-np.log(A3), Y) + np.multiply(-np.log(1 - A3), 1 - Y)
    cost = 1.0 / m * np.sum(log_probs)

    cache = (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3)

    return cost, cache


def backward_propagation(X, Y, cache):
    """
    Implements the backward propagation of the three layers.

    Returns:
    gradients -- dictionary with the gradients of the cost with respect to each parameter,
    activation and pre-activation.
    """
    m = X.shape[1]
    (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3) = cache

    dZ3 = A3 - Y
    dW3 = 1.0 / m * np.dot(dZ3, A2.T)
    db3 = 1.0 / m * np.sum(dZ3, axis=1, keepdims=True)

    dA2 = np.dot(W3.T, dZ3)
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    dW2 = 1.0 / m * np.dot(dZ2, A1.T)
    db2 = 1.0 / m * np.sum(dZ2, axis=1, keepdims=True)

    dA1 = np.dot(W2.T, dZ2)
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1.0 / m * np.dot(dZ1, X.T)
    db1 = 1.0 / m * np.sum(dZ1, axis=1, keepdims=True)

    gradients = {
        "dZ3": dZ3,
        "dW3": dW3,
        "db3": db3,
        "dA2": dA2,
        "dZ2": dZ2,
        "dW2": dW2,
        "db2": db2,
        "dA1": dA1,
        "dZ1": dZ1,
        "dW1": dW1,
        "db1": db1,
    }

    return gradients


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4, 6)).astype(dtype)
    Y = np.array([[1, 1, 0, 1, 0, 0]])
    sizes = [4, 5, 5, 1]
    parameters = {}
    for layer in range(1, 4):
        shape = (sizes[layer], sizes[layer - 1])
        parameters[f"W{layer}"] = rng.normal(size=shape).astype(dtype)
        parameters[f"b{layer}"] = 0.5 * rng.normal(size=(sizes[layer], 1)).astype(dtype)
    return check_gradient(
        forward_propagation, backward_propagation, X, Y, parameters, wrt="parameters", **options
    )
