"""A feed-forward block of a language model: RMS norm, and the two best experts for each token."""

import numpy as np

EDITED = (
    "RMSNorm.backward",
    "SwiGLU.backward",
    "Router.backward",
    "MixtureOfExperts.backward",
)


class RMSNorm:
    def __init__(self, dim, rng, dtype, eps=1e-6):
        self.gain = rng.uniform(0.5, 1.5, dim).astype(dtype)
        self.eps = eps

    def forward(self, x):
        self.inv_rms = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps)
        self.x_hat = x * self.inv_rms
        return self.gain * self.x_hat

    def backward(self, dy):
        self.dgain = np.sum(dy * self.x_hat, axis=0)
        dx_hat = dy * self.gain
        dot = np.mean(dx_hat * self.x_hat, axis=-1, keepdims=True)
        return self.inv_rms * (dx_hat - self.x_hat * dot)


class SwiGLU:
    """An expert: W_down (silu(W_gate x) * W_up x)."""

    def __init__(self, dim, hidden, rng, dtype):
        self.w_gate = rng.normal(0, 0.7, (hidden, dim)).astype(dtype)
        self.w_up = rng.normal(0, 0.7, (hidden, dim)).astype(dtype)
        self.w_down = rng.normal(0, 0.7, (dim, hidden)).astype(dtype)

    def forward(self, x):
        self.x = x
        self.gate = x @ self.w_gate.T
        self.up = x @ self.w_up.T
        self.sig = 1 / (1 + np.exp(-self.gate))
        self.silu = self.gate * self.sig
        return (self.silu * self.up) @ self.w_down.T

    def backward(self, dout):
        self.dw_down = dout.T @ (self.silu * self.up)
        dhidden = dout @ self.w_down

        dup = dhidden * self.silu
        dsilu = dhidden * self.up
        dgate = dsilu * (self.sig + self.silu * (1 - self.sig))

        self.dw_up = dup.T @ self.x
        self.dw_gate = dgate.T @ self.x
        return dgate @ self.w_gate + dup @ self.w_up


class Router:
    """Softmax over the scores of the k best experts of each token."""

    def __init__(self, dim, n_experts, top_k, rng, dtype):
        self.w = rng.normal(size=(n_experts, dim)).astype(dtype)
        self.top_k = top_k

    def forward(self, x):
        self.x = x
        scores = x @ self.w.T
        self.chosen = np.argsort(-scores, axis=1)[:, : self.top_k]
        best = np.take_along_axis(scores, self.chosen, axis=1)
        e = np.exp(best - best.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        return self.chosen, self.probs

    def backward(self, dprobs):
        dbest = self.probs * (dprobs - np.sum(dprobs * self.probs, axis=1, keepdims=True))
        dscores = np.zeros((len(self.x), len(self.w)), dtype=dbest.dtype)
        np.put_along_axis(dscores, self.chosen, dbest, axis=1)
        self.dw = dscores.T @ self.x
        return dscores @ self.w


class MixtureOfExperts:
    def __init__(self, dim, hidden, n_experts, top_k, rng, dtype):
        self.norm = RMSNorm(dim, rng, dtype)
        self.router = Router(dim, n_experts, top_k, rng, dtype)
        self.experts = [SwiGLU(dim, hidden, rng, dtype) for _ in range(n_experts)]

    def forward(self, x):
        h = self.norm.forward(x)
        chosen, probs = self.router.forward(h)
        out = x.copy()
        self.routes = []
        for i, expert in enumerate(self.experts):
            token, slot = np.nonzero(chosen == i)
            weight = probs[token, slot][:, None]
            y = expert.forward(h[token])
            out[token] += weight * y
            self.routes.append((token, slot, weight, y))
        return out

    def backward(self, dout):
        dh = np.zeros_like(dout)
        dprobs = np.zeros_like(self.router.probs)
        for expert, (token, slot, weight, y) in zip(self.experts, self.routes, strict=True):
            dy = dout[token]
            dprobs[token, slot] = np.sum(dy * y, axis=1)
            dh[token] += expert.backward(weight * dy)
        dh += self.router.backward(dprobs)
        dx = dout + self.norm.backward(dh)

        grads = [self.norm.dgain, self.router.dw]
        for expert in self.experts:
            grads += [expert.dw_gate, expert.dw_up, expert.dw_down]
        return dx, *grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(48)
    moe = MixtureOfExperts(dim=3, hidden=4, n_experts=3, top_k=2, rng=rng, dtype=dtype)
    x = rng.normal(size=(6, 3)).astype(dtype)
    weights = ["self.norm.gain", "self.router.w"]
    for i in range(3):
        weights += [f"self.experts[{i}].{name}" for name in ("w_gate", "w_up", "w_down")]
    return check_gradient(moe.forward, moe.backward, x, wrt=("x", *weights), **options)
