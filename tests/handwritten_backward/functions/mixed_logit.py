"""Mixed logit for a panel: simulated likelihood and gradient by one packed parameter vector."""

import numpy as np

EDITED = ("MixedLogit.loglike_and_grad",)


class MixedLogit:
    """
    X       (N, T, J, K) attributes, the last one is the price
    y       (N, T) chosen alternative
    avail   (N, T, J) 1 where an alternative is available
    draws   (N, R, K) standard normal draws (Halton in production)

    The coefficients are b + L z with a lower triangular L, the one of the price is minus the
    exponential of that. params = [b, L row by row, log scale of the second half of the panel]
    """

    def __init__(self, X, y, avail, draws, late):
        self.X, self.y, self.avail, self.draws, self.late = X, y, avail, draws, late
        self.K = X.shape[-1]
        self.tril = np.tril_indices(self.K)

    def unpack(self, params):
        K = self.K
        b = params[:K]
        L = np.zeros((K, K), dtype=params.dtype)
        L[self.tril] = params[K:-1]
        return b, L, params[-1]

    def loglike_and_grad(self, params):
        b, L, log_scale = self.unpack(params)
        N, R, K = self.draws.shape

        beta = b + np.einsum("kl,nrl->nrk", L, self.draws)
        beta[..., -1] = -np.exp(beta[..., -1])
        scale = np.where(self.late, np.exp(log_scale), 1)

        xb = np.einsum("ntjk,nrk->nrtj", self.X, beta)
        V = scale[:, None] * xb
        eV = np.exp(V - V.max(axis=-1, keepdims=True)) * self.avail[:, None]
        P = eV / eV.sum(axis=-1, keepdims=True)

        n, t = np.ogrid[: len(self.y), : self.y.shape[1]]
        p_chosen = P[n, :, t, self.y]  # (N, T, R)
        p_seq = p_chosen.prod(axis=1)  # (N, R)
        p_sim = p_seq.mean(axis=1)
        loglike = np.log(p_sim).sum()

        # Backward: posterior weights of the draws times the score of each of them
        w = p_seq / (R * p_sim[:, None])
        resid = -P
        resid[n, :, t, self.y] += 1
        resid *= w[:, :, None, None]

        g_xb = resid * scale[:, None]
        g_beta = np.einsum("nrtj,ntjk->nrk", g_xb, self.X)
        g_beta[..., -1] *= beta[..., -1]
        g_b = g_beta.sum(axis=(0, 1))
        g_L = np.einsum("nrk,nrl->kl", g_beta, self.draws)

        g_scale = np.sum(resid * xb, axis=(0, 1, 3))
        g_log_scale = np.sum(g_scale * self.late * np.exp(log_scale))
        return loglike, np.concatenate([g_b, g_L[self.tril], [g_log_scale]])


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(102)
    N, T, J, K, R = 5, 4, 3, 3, 6
    X = rng.normal(size=(N, T, J, K)).astype(dtype)
    y = rng.integers(0, J, (N, T))
    avail = np.ones((N, T, J), dtype=dtype)
    avail[1, 2, (y[1, 2] + 1) % J] = avail[3, 0, (y[3, 0] + 2) % J] = 0
    draws = rng.normal(size=(N, R, K)).astype(dtype)
    late = np.array([0, 0, 1, 1])
    model = MixedLogit(X, y, avail, draws, late)
    b = np.array([0.4, -0.3, -0.5])
    L = np.array([0.8, 0.2, 0.6, -0.3, 0.1, 0.4])
    params = np.concatenate([b, L, [0.25]]).astype(dtype)
    return check_gradient(model.loglike_and_grad, True, params, **options)
