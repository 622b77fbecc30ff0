"""A class with two layers and an L2 penalty, whose loss() returns the loss and the gradients."""

import numpy as np

EDITED = ("TwoLayerNet.loss",)


class TwoLayerNet:
    """
    A two-layer fully-connected network with a softmax loss and L2 regularization on the
    weight matrices: input - fully connected layer - ReLU - fully connected layer - softmax.
    """

    def __init__(self, input_size, hidden_size, output_size, rng, dtype=np.float64):
        self.params = {}
        self.params["W1"] = rng.normal(size=(input_size, hidden_size)).astype(dtype)
        self.params["b1"] = 0.2 * rng.normal(size=hidden_size).astype(dtype)
        self.params["W2"] = rng.normal(size=(hidden_size, output_size)).astype(dtype)
        self.params["b2"] = 0.2 * rng.normal(size=output_size).astype(dtype)

    def loss(self, X, y, reg=0.0):
        # Unpack variables from the params dictionary
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N, D = X.shape

        # Compute the forward pass
        hidden = X.dot(W1) + b1
        relu = np.maximum(hidden, 0)
        scores = relu.dot(W2) + b2

        # Compute the loss
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        exp_scores = np.exp(shifted)
        probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
        loss = -np.sum(np.log(probs[range(N), y])) / N
        loss += reg * (np.sum(W1 * W1) + np.sum(W2 * W2))

        # Backward pass: compute gradients
        grads = {}
        dscores = probs.copy()
        dscores[range(N), y] -= 1
        dscores /= N

        grads["W2"] = relu.T.dot(dscores) + 2 * reg * W2
        grads["b2"] = np.sum(dscores, axis=0)

        dhidden = dscores.dot(W2.T)
        dhidden[hidden <= 0] = 0

        grads["W1"] = X.T.dot(dhidden) + 2 * reg * W1
        grads["b1"] = np.sum(dhidden, axis=0)

        return loss, grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(2)
    net = TwoLayerNet(4, 6, 3, rng, dtype)
    X = 2 * rng.normal(size=(5, 4)).astype(dtype)
    y = np.array([0, 1, 2, 2, 1])
    return check_gradient(net.loss, True, X, y, 0.05, wrt="self.params", **options)
