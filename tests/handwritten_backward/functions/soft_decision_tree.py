"""A soft decision tree after Frosst and Hinton, with their penalty on uneven splits."""

import numpy as np

EDITED = ("SoftDecisionTree.backward",)


class SoftDecisionTree:
    def __init__(self, depth, n_features, n_classes, beta, penalty, rng, dtype):
        self.n_inner = 2**depth - 1
        self.n_leaves = 2**depth
        self.W = rng.normal(0, 0.8, (n_features, self.n_inner)).astype(dtype)
        self.b = rng.normal(0, 0.3, self.n_inner).astype(dtype)
        self.phi = rng.normal(0, 1, (self.n_leaves, n_classes)).astype(dtype)
        self.beta = beta
        # the penalty halves from level to level
        level = np.floor(np.log2(np.arange(1, self.n_inner + 1)))
        self.penalty = penalty * 2.0**-level

    def loss(self, X, y):
        N = len(X)
        # inner nodes: the probability of going right
        p = 1 / (1 + np.exp(-self.beta * (X @ self.W + self.b)))

        # the probability of reaching a node, its children are 2i + 1 and 2i + 2
        reach = np.ones((N, self.n_inner + self.n_leaves))
        for i in range(self.n_inner):
            reach[:, 2 * i + 1] = reach[:, i] * (1 - p[:, i])
            reach[:, 2 * i + 2] = reach[:, i] * p[:, i]

        # leaves: a distribution over the classes
        e = np.exp(self.phi - self.phi.max(axis=1, keepdims=True))
        Q = e / e.sum(axis=1, keepdims=True)
        nll = -np.log(Q[:, y]).T
        loss = np.sum(reach[:, self.n_inner :] * nll) / N

        share = (reach[:, : self.n_inner] * p).sum(axis=0) / reach[:, : self.n_inner].sum(axis=0)
        loss -= np.sum(self.penalty * 0.5 * (np.log(share) + np.log(1 - share)))

        self.cache = {"X": X, "y": y, "p": p, "reach": reach, "Q": Q, "nll": nll, "share": share}
        return loss

    def backward(self):
        c = self.cache
        X, y, p, reach, share = c["X"], c["y"], c["p"], c["reach"], c["share"]
        N = len(X)
        leaf_reach = reach[:, self.n_inner :]

        # leaves
        dphi = leaf_reach.sum(axis=0)[:, None] * c["Q"]
        for n in range(N):
            dphi[:, y[n]] -= leaf_reach[n]
        dphi /= N

        # from the leaves up to the root
        dreach = np.zeros_like(reach)
        dreach[:, self.n_inner :] = c["nll"] / N
        dshare = -0.5 * self.penalty * (1 / share - 1 / (1 - share))
        dp = np.zeros_like(p)
        for i in reversed(range(self.n_inner)):
            left, right = dreach[:, 2 * i + 1], dreach[:, 2 * i + 2]
            total = reach[:, i].sum()
            dp[:, i] = reach[:, i] * (right - left)
            dp[:, i] += dshare[i] * reach[:, i] / total
            dreach[:, i] = (1 - p[:, i]) * left + p[:, i] * right
            dreach[:, i] += dshare[i] * (p[:, i] - share[i]) / total

        dz = self.beta * dp * p * (1 - p)
        dW = X.T @ dz
        db = dz.sum(axis=0)
        dX = dz @ self.W.T
        return dX, dW, db, dphi


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(76)
    tree = SoftDecisionTree(3, 4, 3, 1.3, 0.2, rng, dtype)
    X = rng.normal(size=(6, 4)).astype(dtype)
    y = np.array([0, 2, 1, 1, 0, 2])
    return check_gradient(
        tree.loss, tree.backward, X, y, wrt=("X", "self.W", "self.b", "self.phi"), **options
    )
