"""A GRU cell as a class: the parameters and their gradients in two dicts, the rest in self."""

import numpy as np

EDITED = ("GRUCell.backward",)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


class GRUCell:
    def __init__(self, n_x, n_h, rng, dtype=np.float64):
        self.params = {}
        for gate in "zrh":
            self.params["W" + gate] = (0.6 * rng.normal(size=(n_x, n_h))).astype(dtype)
            self.params["U" + gate] = (0.6 * rng.normal(size=(n_h, n_h))).astype(dtype)
            self.params["b" + gate] = (0.1 * rng.normal(size=n_h)).astype(dtype)
        self.grads = {name: np.zeros_like(value) for name, value in self.params.items()}

    def forward(self, x, h):
        p = self.params
        self.x, self.h = x, h
        # update gate, reset gate
        self.z = sigmoid(x @ p["Wz"] + h @ p["Uz"] + p["bz"])
        self.r = sigmoid(x @ p["Wr"] + h @ p["Ur"] + p["br"])
        # candidate
        self.rh = self.r * h
        self.hhat = np.tanh(x @ p["Wh"] + self.rh @ p["Uh"] + p["bh"])
        return (1 - self.z) * h + self.z * self.hhat

    def backward(self, dh_next):
        p = self.params

        # candidate
        dhhat = dh_next * self.z
        dhhat_raw = dhhat * (1 - self.hhat**2)
        self.grads["Wh"] = self.x.T @ dhhat_raw
        self.grads["Uh"] = self.rh.T @ dhhat_raw
        self.grads["bh"] = dhhat_raw.sum(axis=0)
        drh = dhhat_raw @ p["Uh"].T

        # reset gate
        dr = drh * self.h
        dr_raw = dr * self.r * (1 - self.r)
        self.grads["Wr"] = self.x.T @ dr_raw
        self.grads["Ur"] = self.h.T @ dr_raw
        self.grads["br"] = dr_raw.sum(axis=0)

        # update gate
        dz = dh_next * (self.hhat - self.h)
        dz_raw = dz * self.z * (1 - self.z)
        self.grads["Wz"] = self.x.T @ dz_raw
        self.grads["Uz"] = self.h.T @ dz_raw
        self.grads["bz"] = dz_raw.sum(axis=0)

        # inputs
        dx = dz_raw @ p["Wz"].T + dr_raw @ p["Wr"].T + dhhat_raw @ p["Wh"].T
        dh = dh_next * (1 - self.z)
        dh += drh * self.r
        dh += dz_raw @ p["Uz"].T + dr_raw @ p["Ur"].T
        return dx, dh


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(12)
    cell = GRUCell(3, 4, rng, dtype)
    x = rng.normal(size=(4, 3)).astype(dtype)
    h = rng.normal(size=(4, 4)).astype(dtype)
    return check_gradient(
        cell.forward, cell.backward, x, h, wrt=("x", "h", "self.params"), **options
    )
