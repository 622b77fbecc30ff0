"""A deep network with a multiclass hinge loss, by masks in place, as a class with lists."""

from itertools import pairwise

import numpy as np

EDITED = ("svm_loss", "HingeNet.loss")


def svm_loss(scores, y, delta=1.0):
    """
    Computes the loss and gradient for multiclass SVM classification.

    Inputs:
    - scores: Input data, of shape (N, C) where scores[i, j] is the score for the jth class
      for the ith input.
    - y: Vector of labels, of shape (N,)

    Returns a tuple of:
    - loss: Scalar giving the loss
    - dscores: Gradient of the loss with respect to scores
    """
    num_train = scores.shape[0]
    rows = np.arange(num_train)
    correct_class_score = scores[rows, y]
    margins = scores - correct_class_score[:, np.newaxis] + delta
    margins[rows, y] = 0
    loss = np.sum(margins[margins > 0]) / num_train

    # backward: every violated margin pulls its class down and the right one up
    dscores = np.zeros_like(scores)
    dscores[margins > 0] = 1
    num_violated = np.sum(dscores, axis=1)
    dscores[rows, y] -= num_violated
    dscores /= num_train
    return loss, dscores


class HingeNet:
    """Affine - leaky ReLU - affine - leaky ReLU - affine - SVM loss, with L2 regularization."""

    def __init__(self, dims, reg, slope, rng, dtype=np.float64):
        self.reg = reg
        self.slope = slope
        self.weights = []
        self.biases = []
        for d_in, d_out in pairwise(dims):
            self.weights.append((rng.normal(size=(d_in, d_out)) / np.sqrt(d_in)).astype(dtype))
            self.biases.append(rng.normal(0, 0.2, d_out).astype(dtype))

    def loss(self, X, y=None):
        # forward
        h = X
        inputs, negatives = [], []
        for l in range(len(self.weights) - 1):
            inputs.append(h)
            h = h @ self.weights[l] + self.biases[l]
            negatives.append(h < 0)
            h = np.where(negatives[-1], self.slope * h, h)
        inputs.append(h)
        scores = h @ self.weights[-1] + self.biases[-1]
        if y is None:
            return scores
        data_loss, dh = svm_loss(scores, y)
        reg_loss = 0.5 * self.reg * sum(np.sum(W**2) for W in self.weights)
        total_loss = data_loss + reg_loss

        # backward
        dW = [None] * len(self.weights)
        db = [None] * len(self.biases)
        for l in range(len(self.weights) - 1, -1, -1):
            if l < len(self.weights) - 1:
                dh[negatives[l]] *= self.slope
            dW[l] = inputs[l].T @ dh
            dW[l] += self.reg * self.weights[l]
            db[l] = np.sum(dh, axis=0)
            dh = dh @ self.weights[l].T

        return total_loss, dW, db


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(2614)
    net = HingeNet([4, 5, 5, 3], reg=0.05, slope=0.1, rng=rng, dtype=dtype)
    X = 1.5 * rng.normal(size=(6, 4)).astype(dtype)
    y = np.array([2, 0, 1, 1, 2, 0])
    return check_gradient(net.loss, True, X, y, wrt=("self.weights", "self.biases"), **options)
