"""Regression of counts: the negative binomial (NB2) as a model with loglike and score."""

import numpy as np
from scipy.special import digamma, gammaln

EDITED = ("NegativeBinomial.score_obs", "NegativeBinomial.score", "penalized_score")


class NegativeBinomial:
    """
    Counts with mean mu = exposure * exp(exog @ beta) and variance mu + alpha * mu**2.

    Parameters are beta and, as the last one, the logarithm of alpha.
    """

    def __init__(self, endog, exog, exposure, freq_weights):
        self.endog = endog
        self.exog = exog
        self.offset = np.log(exposure)
        self.freq_weights = freq_weights

    def predict(self, params):
        return np.exp(self.exog @ params[:-1] + self.offset)

    def loglike_obs(self, params):
        y = self.endog
        mu = self.predict(params)
        size = np.exp(-params[-1])
        prob = size / (size + mu)
        coeff = gammaln(size + y) - gammaln(y + 1) - gammaln(size)
        return coeff + size * np.log(prob) + y * np.log(1 - prob)

    def loglike(self, params):
        return np.sum(self.freq_weights * self.loglike_obs(params))

    def score_obs(self, params):
        """The derivatives of loglike_obs, of shape (nobs, len(params))."""
        y = self.endog
        mu = self.predict(params)
        size = np.exp(-params[-1])
        prob = size / (size + mu)

        dbeta = self.exog * (prob * (y - mu))[:, None]
        dsize = digamma(size + y) - digamma(size) + np.log(prob)
        dsize += 1 - (size + y) / (size + mu)
        dlnalpha = -size * dsize
        return np.column_stack((dbeta, dlnalpha))

    def score(self, params):
        return self.freq_weights @ self.score_obs(params)


def penalized_loss(params, model, ridge):
    """The mean negative log-likelihood with a penalty on the slopes: not on the constant."""
    nobs = model.freq_weights.sum()
    slopes = params[1:-1]
    return -model.loglike(params) / nobs + ridge * np.sum(slopes**2)


def penalized_score(params, model, ridge):
    nobs = model.freq_weights.sum()
    grad = -model.score(params) / nobs
    grad[1:-1] += 2 * ridge * params[1:-1]
    return grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(55)
    nobs = 15
    exog = np.column_stack((np.ones(nobs), rng.normal(size=(nobs, 3)))).astype(dtype)
    exposure = rng.uniform(0.5, 2.0, nobs).astype(dtype)
    endog = rng.negative_binomial(2, 0.4, nobs).astype(dtype)
    weights = rng.integers(1, 4, nobs).astype(dtype)
    model = NegativeBinomial(endog, exog, exposure, weights)
    params = np.array([0.6, 0.3, -0.5, 0.2, -0.4], dtype=dtype)
    return check_gradient(
        penalized_loss, penalized_score, params, model, 0.05, wrt="params", **options
    )
