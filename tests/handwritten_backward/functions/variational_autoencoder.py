"""A variational autoencoder with fixed noise: one function returns the loss and the gradients."""

import numpy as np

EDITED = ("vae_loss",)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def vae_loss(params, X, eps, beta=1.0):
    """
    Negative ELBO of a batch, averaged over the samples.

    params : list [We, be, Wm, bm, Ws, bs, Wd, bd, Wx, bx]
        encoder hidden layer, mean, log-variance, decoder hidden layer, output
    X : (n, d) pixels between 0 and 1
    eps : (n, k) standard normal noise

    Returns the loss, the list of gradients and (reconstruction, kl) for logging.
    """
    We, be, Wm, bm, Ws, bs, Wd, bd, Wx, bx = params
    n = X.shape[0]

    # --- encoder
    a_enc = X @ We + be
    h_enc = np.maximum(a_enc, 0.01 * a_enc)  # leaky relu
    mu = h_enc @ Wm + bm
    logvar = h_enc @ Ws + bs

    # --- reparametrization
    std = np.exp(0.5 * logvar)
    z = mu + std * eps

    # --- decoder
    h_dec = np.tanh(z @ Wd + bd)
    y = sigmoid(h_dec @ Wx + bx)

    # --- loss
    bce = -np.sum(X * np.log(y) + (1 - X) * np.log(1 - y)) / n
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar)) / n
    loss = bce + beta * kl

    # backward: decoder
    dy = (y - X) / (y * (1 - y)) / n
    da_out = dy * y * (1 - y)
    dWx = h_dec.T @ da_out
    dbx = da_out.sum(axis=0)
    dh_dec = da_out @ Wx.T
    da_dec = dh_dec * (1 - h_dec**2)
    dWd = z.T @ da_dec
    dbd = da_dec.sum(axis=0)
    dz = da_dec @ Wd.T

    # through the sample
    dmu = dz.copy()
    dstd = dz * eps
    dlogvar = dstd * 0.5 * std

    # KL divergence
    dmu += beta * mu / n
    dlogvar += beta * 0.5 * (np.exp(logvar) - 1) / n

    # encoder
    dWm = h_enc.T @ dmu
    dbm = dmu.sum(axis=0)
    dWs = h_enc.T @ dlogvar
    dbs = dlogvar.sum(axis=0)
    dh_enc = dmu @ Wm.T + dlogvar @ Ws.T
    da_enc = np.where(a_enc > 0, dh_enc, 0.01 * dh_enc)
    dWe = X.T @ da_enc
    dbe = da_enc.sum(axis=0)

    return loss, [dWe, dbe, dWm, dbm, dWs, dbs, dWd, dbd, dWx, dbx], (bce, kl)


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(33)
    n, d, h, k = 5, 6, 4, 2
    params = []
    for n_in, n_out in ((d, h), (h, k), (h, k), (k, h), (h, d)):
        params.append(rng.normal(0, 0.7, (n_in, n_out)).astype(dtype))
        params.append(rng.normal(0, 0.3, n_out).astype(dtype))
    X = rng.uniform(size=(n, d)).astype(dtype)
    eps = rng.normal(size=(n, k)).astype(dtype)

    def loss_and_gradients(params):
        loss, grads, _ = vae_loss(params, X, eps, beta=0.5)
        return loss, grads

    return check_gradient(loss_and_gradients, True, params, **options)
