"""Recommendations from low-rank factors and biases: the cost for minimize(..., jac=True)."""

import numpy as np

EDITED = ("cofi_cost_func",)


def unroll(X, Theta, b_item, b_user):
    return np.concatenate([X.ravel(), Theta.ravel(), b_item, b_user])


def cofi_cost_func(params, Y, R, num_users, num_movies, num_features, lambda_, lambda_b):
    """
    Collaborative filtering cost function.

    params: the movie features X, the user features Theta, and a bias of every movie and user,
        unrolled into a vector
    Y: (num_movies, num_users) ratings, and their mean mu is what is left without all factors
    R: (num_movies, num_users), R[i, j] is 1 if movie i was rated by user j
    lambda_, lambda_b: regularization of the features and of the biases
    """
    split = num_movies * num_features
    end = split + num_users * num_features
    X = params[:split].reshape(num_movies, num_features)
    Theta = params[split:end].reshape(num_users, num_features)
    b_item = params[end : end + num_movies]
    b_user = params[end + num_movies :]

    mu = np.sum(Y * R) / np.sum(R)
    predictions = mu + b_item[:, None] + b_user[None, :] + X @ Theta.T
    error = (predictions - Y) * R

    J = 0.5 * np.sum(error**2)
    J += 0.5 * lambda_ * (np.sum(X**2) + np.sum(Theta**2))
    J += 0.5 * lambda_b * (np.sum(b_item**2) + np.sum(b_user**2))

    # backward
    X_grad = error @ Theta + lambda_ * X
    Theta_grad = error.T @ X + lambda_ * Theta
    b_item_grad = error.sum(axis=1) + lambda_b * b_item
    b_user_grad = error.sum(axis=0) + lambda_b * b_user

    grad = unroll(X_grad, Theta_grad, b_item_grad, b_user_grad)
    return J, grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(51)
    num_users, num_movies, num_features = 4, 5, 3
    Y = rng.integers(1, 6, (num_movies, num_users)).astype(dtype)
    R = (rng.random((num_movies, num_users)) < 0.7).astype(dtype)
    X = rng.normal(size=(num_movies, num_features))
    Theta = rng.normal(size=(num_users, num_features))
    b_item, b_user = rng.normal(0, 0.5, num_movies), rng.normal(0, 0.5, num_users)
    params = unroll(X, Theta, b_item, b_user).astype(dtype)
    return check_gradient(
        cofi_cost_func,
        True,
        params,
        Y,
        R,
        num_users,
        num_movies,
        num_features,
        1.5,
        0.4,
        wrt="params",
        **options,
    )
