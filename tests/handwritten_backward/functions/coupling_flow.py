"""A normalizing flow: affine coupling layers as in RealNVP, trained by maximum likelihood."""

import numpy as np

EDITED = ("MLP.backward", "AffineCoupling.backward", "Flow.backward")


class MLP:
    def __init__(self, d_in, d_hidden, d_out, rng, dtype):
        self.W1 = rng.normal(0, 0.6, (d_in, d_hidden)).astype(dtype)
        self.b1 = rng.normal(0, 0.2, d_hidden).astype(dtype)
        self.W2 = rng.normal(0, 0.6, (d_hidden, d_out)).astype(dtype)
        self.b2 = rng.normal(0, 0.2, d_out).astype(dtype)

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W1 + self.b1)
        return self.h @ self.W2 + self.b2

    def backward(self, dout):
        self.dW2 = self.h.T @ dout
        self.db2 = np.sum(dout, axis=0)
        dh = dout @ self.W2.T
        dz = dh * (1.0 - self.h**2)
        self.dW1 = self.x.T @ dz
        self.db1 = np.sum(dz, axis=0)
        return dz @ self.W1.T


class AffineCoupling:
    """
    y1 = x1, y2 = x2 * exp(s(x1)) + t(x1)

    The halves change places if flip is set. The network computes s and t at once, and s is bounded
    by tanh with a learned scale.
    """

    def __init__(self, dim, hidden, flip, rng, dtype):
        self.half = dim // 2
        self.flip = flip
        self.net = MLP(self.half, hidden, dim, rng, dtype)
        self.s_scale = rng.uniform(0.5, 1.0, self.half).astype(dtype)

    def split(self, x):
        a, b = x[:, : self.half], x[:, self.half :]
        return (b, a) if self.flip else (a, b)

    def merge(self, a, b):
        return np.hstack([b, a]) if self.flip else np.hstack([a, b])

    def forward(self, x):
        x1, x2 = self.split(x)
        out = self.net.forward(x1)
        th = np.tanh(out[:, : self.half])
        t = out[:, self.half :]
        s = self.s_scale * th
        y2 = x2 * np.exp(s) + t
        self.cache = (x2, th, s)
        log_det = np.sum(s, axis=1)
        return self.merge(x1, y2), log_det

    def backward(self, dy, dlog_det):
        x2, th, s = self.cache
        dy1, dy2 = self.split(dy)

        dx2 = dy2 * np.exp(s)
        ds = dy2 * x2 * np.exp(s) + dlog_det[:, None]
        self.ds_scale = np.sum(ds * th, axis=0)
        dth = ds * self.s_scale
        dout = np.hstack([dth * (1 - th**2), dy2])
        dx1 = dy1 + self.net.backward(dout)
        return self.merge(dx1, dx2)


class Flow:
    def __init__(self, dim, hidden, n_layers, rng, dtype):
        self.layers = [
            AffineCoupling(dim, hidden, i % 2 == 1, rng, dtype) for i in range(n_layers)
        ]

    def forward(self, x):
        """The mean negative log-likelihood under a standard normal of z."""
        z, total = x, 0
        for layer in self.layers:
            z, log_det = layer.forward(z)
            total = total + log_det
        self.z = z
        log_prior = -0.5 * np.sum(z**2, axis=1) - 0.5 * z.shape[1] * np.log(2 * np.pi)
        return -np.mean(log_prior + total)

    def backward(self):
        n = self.z.shape[0]
        dz = self.z / n
        dlog_det = -np.ones(n, dtype=dz.dtype) / n
        grads = []
        for layer in reversed(self.layers):
            dz = layer.backward(dz, dlog_det)
            net = layer.net
            grads = [layer.ds_scale, net.dW1, net.db1, net.dW2, net.db2, *grads]
        return dz, *grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(57)
    flow = Flow(dim=4, hidden=3, n_layers=2, rng=rng, dtype=dtype)
    x = rng.normal(size=(5, 4)).astype(dtype)
    names = ("s_scale", "net.W1", "net.b1", "net.W2", "net.b2")
    weights = [f"self.layers[{i}].{name}" for i in range(2) for name in names]
    return check_gradient(flow.forward, flow.backward, x, wrt=("x", *weights), **options)
