"""A sparse autoencoder as in a tutorial: parameters unrolled in theta, examples in columns."""

import numpy as np

EDITED = ("sparse_autoencoder_cost",)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def kl_divergence(rho, rho_hat):
    return rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat))


def sparse_autoencoder_cost(theta, visible_size, hidden_size, lambda_, rho, beta, data):
    """
    visible_size: number of input units
    hidden_size: number of hidden units
    lambda_: weight decay parameter
    rho: desired average activation of the hidden units
    beta: weight of the sparsity penalty
    data: (visible_size, m), data[:, i] is the i-th training example

    Returns the cost, and its gradient of the shape of theta.
    """
    n_weights = hidden_size * visible_size
    W1 = theta[:n_weights].reshape(hidden_size, visible_size)
    W2 = theta[n_weights : 2 * n_weights].reshape(visible_size, hidden_size)
    b1 = theta[2 * n_weights : 2 * n_weights + hidden_size]
    b2 = theta[2 * n_weights + hidden_size :]
    m = data.shape[1]

    # Forward propagation
    z2 = W1.dot(data) + b1[:, np.newaxis]
    a2 = sigmoid(z2)
    z3 = W2.dot(a2) + b2[:, np.newaxis]
    h = sigmoid(z3)

    # Cost
    rho_hat = a2.mean(axis=1)
    squared_error = 0.5 * np.sum((h - data) ** 2) / m
    weight_decay = 0.5 * lambda_ * (np.sum(W1**2) + np.sum(W2**2))
    sparsity = beta * np.sum(kl_divergence(rho, rho_hat))
    cost = squared_error + weight_decay + sparsity

    # Backward propagation
    delta3 = -(data - h) * h * (1 - h)
    sparsity_delta = beta * (-rho / rho_hat + (1 - rho) / (1 - rho_hat))
    delta2 = (W2.T.dot(delta3) + sparsity_delta[:, np.newaxis]) * a2 * (1 - a2)

    W1grad = delta2.dot(data.T) / m + lambda_ * W1
    W2grad = delta3.dot(a2.T) / m + lambda_ * W2
    b1grad = delta2.sum(axis=1) / m
    b2grad = delta3.sum(axis=1) / m

    grad = np.concatenate((W1grad.ravel(), W2grad.ravel(), b1grad, b2grad))
    return cost, grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(47)
    visible_size, hidden_size = 5, 3
    r = np.sqrt(6) / np.sqrt(visible_size + hidden_size + 1)
    weights = rng.uniform(-r, r, 2 * visible_size * hidden_size)
    biases = rng.normal(0, 0.3, hidden_size + visible_size)
    theta = np.concatenate((weights, biases)).astype(dtype)
    data = rng.uniform(0.1, 0.9, (visible_size, 8)).astype(dtype)
    return check_gradient(
        sparse_autoencoder_cost,
        True,
        theta,
        visible_size,
        hidden_size,
        0.01,
        0.1,
        0.5,
        data,
        wrt="theta",
        **options,
    )
