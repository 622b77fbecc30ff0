"""The triplet loss of embeddings on the unit sphere, as a function object of a framework."""

import numpy as np

EDITED = ("TripletLoss.backward",)


class TripletLoss:
    """Mean hinge of the squared distances: anchors nearer to positives than to negatives."""

    def __init__(self, margin=0.2):
        self.margin = float(margin)

    def forward(self, anchor, positive, negative):
        self.norm_a = np.linalg.norm(anchor, axis=1, keepdims=True)
        self.norm_p = np.linalg.norm(positive, axis=1, keepdims=True)
        self.norm_n = np.linalg.norm(negative, axis=1, keepdims=True)
        self.a = anchor / self.norm_a
        self.p = positive / self.norm_p
        self.n = negative / self.norm_n
        dist_p = np.sum((self.a - self.p) ** 2, axis=1)
        dist_n = np.sum((self.a - self.n) ** 2, axis=1)
        self.hinge = np.maximum(0, self.margin + dist_p - dist_n)
        return np.sum(self.hinge) / len(anchor)

    def backward(self, gy=1):
        a, p, n = self.a, self.p, self.n
        batch_size = a.shape[0]

        # triplets that are far enough apart get no gradient
        active = (self.hinge > 0)[:, None]
        g = gy * 2.0 / batch_size * active
        ga = g * (n - p)
        gp = g * (p - a)
        gn = g * (a - n)

        # the normalization removes the part along the embedding
        ga = ga - a * np.sum(ga * a, axis=1, keepdims=True)
        ga /= self.norm_a
        gp = gp - p * np.sum(gp * p, axis=1, keepdims=True)
        gp /= self.norm_p
        gn = gn - n * np.sum(gn * n, axis=1, keepdims=True)
        gn /= self.norm_n

        return ga, gp, gn


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(28)
    anchor = rng.normal(size=(5, 3)).astype(dtype)
    positive = (anchor + 0.7 * rng.normal(size=(5, 3))).astype(dtype)
    negative = (anchor + rng.normal(size=(5, 3))).astype(dtype)
    loss = TripletLoss(margin=0.6)
    return check_gradient(loss.forward, loss.backward, anchor, positive, negative, **options)
