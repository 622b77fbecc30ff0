"""Graded answers of a questionnaire: the posterior of Samejima's model, in loops over answers."""

import numpy as np

EDITED = ("gradient",)

SD_LOG_A = 0.5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def thresholds(first, log_steps):
    """Increasing thresholds of every item, from the first one and the logs of the steps."""
    steps = np.exp(log_steps)
    return np.hstack([first[:, None], first[:, None] + np.cumsum(steps, axis=1)])


def boundary_probs(theta, a, b):
    """P(answer >= k) for k = 0 .. n_categories; the first one is 1 and the last one is 0."""
    return np.concatenate([[1.0], sigmoid(a * (theta - b)), [0.0]])


def neg_log_posterior(theta, log_a, first, log_steps, answers):
    a = np.exp(log_a)
    b = thresholds(first, log_steps)
    value = 0.5 * np.sum(theta**2) + 0.5 * np.sum((log_a / SD_LOG_A) ** 2)
    n_persons, n_items = answers.shape
    for i in range(n_persons):
        for j in range(n_items):
            k = answers[i, j]
            if k < 0:  # not answered
                continue
            cum = boundary_probs(theta[i], a[j], b[j])
            value -= np.log(cum[k] - cum[k + 1])
    return value


def gradient(theta, log_a, first, log_steps, answers):
    a = np.exp(log_a)
    b = thresholds(first, log_steps)
    n_persons, n_items = answers.shape
    n_thresholds = b.shape[1]

    g_theta = theta.copy()
    g_a = np.zeros(n_items)
    g_b = np.zeros_like(b)
    for i in range(n_persons):
        for j in range(n_items):
            k = answers[i, j]
            if k < 0:
                continue
            cum = boundary_probs(theta[i], a[j], b[j])
            slope = cum * (1 - cum)
            p = cum[k] - cum[k + 1]
            if k > 0:  # the threshold below the answer
                r = slope[k] / p
                g_theta[i] -= r * a[j]
                g_a[j] -= r * (theta[i] - b[j, k - 1])
                g_b[j, k - 1] += r * a[j]
            if k < n_thresholds:  # the threshold above it
                r = slope[k + 1] / p
                g_theta[i] += r * a[j]
                g_a[j] += r * (theta[i] - b[j, k])
                g_b[j, k] -= r * a[j]

    g_log_a = g_a * a + log_a / SD_LOG_A**2
    # the first value moves all thresholds of an item, a step moves those after it
    g_first = g_b.sum(axis=1)
    g_log_steps = np.zeros_like(log_steps)
    for s in range(n_thresholds - 1):
        g_log_steps[:, s] = np.exp(log_steps[:, s]) * g_b[:, s + 1 :].sum(axis=1)
    return g_theta, g_log_a, g_first, g_log_steps


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(72)
    n_persons, n_items, n_categories = 7, 4, 4
    answers = rng.integers(0, n_categories, (n_persons, n_items))
    answers[1, 2] = answers[4, 0] = -1
    theta = rng.normal(size=n_persons).astype(dtype)
    log_a = rng.normal(0.1, 0.4, n_items).astype(dtype)
    first = rng.normal(-1.2, 0.4, n_items).astype(dtype)
    log_steps = rng.normal(0, 0.3, (n_items, n_categories - 2)).astype(dtype)
    return check_gradient(
        neg_log_posterior,
        gradient,
        theta,
        log_a,
        first,
        log_steps,
        answers,
        wrt=("theta", "log_a", "first", "log_steps"),
        **options,
    )
