"""The negative log-likelihood of a linear-chain CRF, by forward and backward recursions."""

import numpy as np

EDITED = ("backward_messages", "sequence_gradient", "gradient")


def logsumexp(a, axis=None):
    a_max = np.max(a, axis=axis, keepdims=True)
    out = np.log(np.sum(np.exp(a - a_max), axis=axis, keepdims=True)) + a_max
    return np.squeeze(out, axis=axis)


def potentials(theta, x):
    """Unary scores of all positions, of shape (T, K)."""
    node = x @ theta["emission"].T
    node[0] += theta["start"]
    node[-1] += theta["stop"]
    return node


def forward_messages(node, edge):
    log_alpha = np.zeros_like(node)
    log_alpha[0] = node[0]
    for t in range(1, len(node)):
        log_alpha[t] = node[t] + logsumexp(log_alpha[t - 1][:, None] + edge, axis=0)
    return log_alpha


def backward_messages(node, edge):
    T, K = node.shape
    log_beta = np.zeros((T, K), dtype=node.dtype)
    for t in range(T - 2, -1, -1):
        following = node[t + 1] + log_beta[t + 1]
        log_beta[t] = logsumexp(edge + following[None, :], axis=1)
    return log_beta


def sequence_nll(theta, x, y):
    node, edge = potentials(theta, x), theta["transition"]
    score = node[np.arange(len(y)), y].sum() + edge[y[:-1], y[1:]].sum()
    log_Z = logsumexp(forward_messages(node, edge)[-1])
    return log_Z - score


def sequence_gradient(theta, x, y):
    """Expected minus observed counts of the features of one sequence."""
    node, edge = potentials(theta, x), theta["transition"]
    T = len(node)
    log_alpha = forward_messages(node, edge)
    log_beta = backward_messages(node, edge)
    log_Z = logsumexp(log_alpha[-1])

    # node marginals, minus the labels
    gamma = np.exp(log_alpha + log_beta - log_Z)
    gamma[np.arange(T), y] -= 1

    # edge marginals, minus the pairs of labels
    d_edge = np.zeros_like(edge)
    for t in range(T - 1):
        right = node[t + 1] + log_beta[t + 1]
        xi = np.exp(log_alpha[t][:, None] + edge + right[None, :] - log_Z)
        d_edge += xi
        d_edge[y[t], y[t + 1]] -= 1

    return {
        "emission": gamma.T @ x,
        "transition": d_edge,
        "start": gamma[0],
        "stop": gamma[-1],
    }


def objective(theta, data, sigma2):
    nll = sum(sequence_nll(theta, x, y) for x, y in data)
    prior = sum(np.sum(weights**2) for weights in theta.values()) / (2 * sigma2)
    return nll + prior


def gradient(theta, data, sigma2):
    grad = {name: weights / sigma2 for name, weights in theta.items()}
    for x, y in data:
        for name, part in sequence_gradient(theta, x, y).items():
            grad[name] += part
    return grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(37)
    n_labels, n_features = 3, 4
    theta = {
        "emission": rng.normal(0, 0.8, (n_labels, n_features)).astype(dtype),
        "transition": rng.normal(size=(n_labels, n_labels)).astype(dtype),
        "start": rng.normal(size=n_labels).astype(dtype),
        "stop": rng.normal(size=n_labels).astype(dtype),
    }
    labels = [np.array([0, 2, 2, 1, 0]), np.array([1, 1, 2])]
    data = [(rng.normal(size=(len(y), n_features)).astype(dtype), y) for y in labels]
    return check_gradient(objective, gradient, theta, data, 5.0, wrt="theta", **options)
