"""A selective state space layer as in Mamba: a diagonal recurrence whose step is an input."""

import numpy as np

EDITED = ("SelectiveSSM.backward",)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class SelectiveSSM:
    """
    h[t] = exp(dt[t] A) h[t-1] + dt[t] B[t] x[t]
    y[t] = (C[t] h[t] + D x[t]) * silu(z[t])

    dt, B, C and z are linear in x[t], and h has a state of size d_state for every channel.
    """

    def __init__(self, d_model, d_state, rng, dtype):
        self.params = {
            "A_log": rng.normal(0, 0.4, (d_model, d_state)),
            "W_dt": rng.normal(0, 0.5, (d_model, d_model)),
            "b_dt": rng.normal(-0.5, 0.2, d_model),
            "W_B": rng.normal(0, 0.6, (d_model, d_state)),
            "W_C": rng.normal(0, 0.6, (d_model, d_state)),
            "D": rng.uniform(0.5, 1.5, d_model),
            "W_z": rng.normal(0, 0.6, (d_model, d_model)),
        }
        self.params = {key: value.astype(dtype) for key, value in self.params.items()}

    def forward(self, x, h0):
        p = self.params
        A = -np.exp(p["A_log"])
        dt_raw = x @ p["W_dt"] + p["b_dt"]
        dt = np.logaddexp(0, dt_raw)
        B = x @ p["W_B"]
        C = x @ p["W_C"]
        z = x @ p["W_z"]

        hs = [h0]
        ys = []
        for t in range(len(x)):
            decay = np.exp(dt[t][:, None] * A)
            h = decay * hs[-1] + (dt[t] * x[t])[:, None] * B[t]
            hs.append(h)
            ys.append(h @ C[t])
        y = np.array(ys) + p["D"] * x
        out = y * z * sigmoid(z)
        self.cache = (x, A, dt_raw, dt, B, C, z, hs, y)
        return out, h

    def backward(self, dout, dh):
        p = self.params
        x, A, dt_raw, dt, B, C, z, hs, y = self.cache
        grads = {}

        # gate
        s = sigmoid(z)
        dy = dout * z * s
        dz = dout * y * s * (1 + z * (1 - s))

        # skip
        grads["D"] = np.sum(dy * x, axis=0)
        dx = dy * p["D"]

        # scan, from the last step to the first
        dA = np.zeros_like(A)
        ddt = np.zeros_like(dt)
        dB = np.zeros_like(B)
        dC = np.zeros_like(C)
        for t in reversed(range(len(x))):
            h, h_prev = hs[t + 1], hs[t]
            dC[t] = dy[t] @ h
            dh = dh + np.outer(dy[t], C[t])

            decay = np.exp(dt[t][:, None] * A)
            dexponent = dh * h_prev * decay
            dA += dexponent * dt[t][:, None]
            du = dh @ B[t]
            ddt[t] = np.sum(dexponent * A, axis=1) + du * x[t]
            dx[t] += du * dt[t]
            dB[t] = (dt[t] * x[t]) @ dh
            dh = dh * decay

        # projections of x
        ddt_raw = ddt * sigmoid(dt_raw)
        grads["A_log"] = dA * A
        grads["W_dt"] = x.T @ ddt_raw
        grads["b_dt"] = ddt_raw.sum(axis=0)
        grads["W_B"] = x.T @ dB
        grads["W_C"] = x.T @ dC
        grads["W_z"] = x.T @ dz
        dx += ddt_raw @ p["W_dt"].T + dB @ p["W_B"].T + dC @ p["W_C"].T + dz @ p["W_z"].T
        return dx, dh, grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(66)
    layer = SelectiveSSM(3, 2, rng, dtype)
    x = rng.normal(size=(6, 3)).astype(dtype)
    h0 = rng.normal(0, 0.5, (3, 2)).astype(dtype)
    return check_gradient(
        layer.forward, layer.backward, x, h0, wrt=("x", "h0", "self.params"), **options
    )
