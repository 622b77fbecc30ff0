"""Cox regression with strata and tied times (Efron), for minimize(..., jac=True)."""

import numpy as np

EDITED = ("penalized_neg_log_likelihood",)


def penalized_neg_log_likelihood(beta, X, durations, events, strata, weights, ridge):
    """
    Negative partial log-likelihood by sample, with a ridge penalty, and its gradient.

    Parameters
    ----------
    beta: (d,) coefficients
    X: (n, d) covariates, which are centered here
    durations, events: (n,) times, and whether the event was observed then
    strata: (n,) samples of different strata are never compared
    weights: (n,) case weights
    ridge: strength of the penalty
    """
    n, d = X.shape
    X = X - X.mean(axis=0)
    eta = X @ beta
    phi = weights * np.exp(eta)

    log_lik = 0.0
    risk_sets = []
    for stratum in np.unique(strata):
        inside = strata == stratum
        for time in np.unique(durations[inside & events]):
            at_risk = inside & (durations >= time)
            deaths = inside & events & (durations == time)
            n_deaths = deaths.sum()
            risk_phi = phi[at_risk].sum()
            tie_phi = phi[deaths].sum()
            fraction = np.arange(n_deaths) / n_deaths
            denom = risk_phi - fraction * tie_phi
            mean_weight = weights[deaths].mean()
            log_lik += weights[deaths] @ eta[deaths]
            log_lik -= mean_weight * np.log(denom).sum()
            risk_sets.append((at_risk, deaths, fraction, denom, mean_weight))
    value = -log_lik / n + 0.5 * ridge * np.sum(beta**2)

    # backward: through the risk sets to phi, and to the linear predictor
    d_eta = np.where(events, weights, 0)
    d_phi = np.zeros_like(phi)
    for at_risk, deaths, fraction, denom, mean_weight in risk_sets:
        hazard = mean_weight / denom
        d_phi[at_risk] -= hazard.sum()
        d_phi[deaths] += np.sum(fraction * hazard)
    d_eta += d_phi * phi

    grad = -X.T @ d_eta / n
    grad += ridge * beta
    return value, grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(44)
    X = rng.normal(size=(12, 4)).astype(dtype)
    durations = np.array([3, 1, 4, 1, 5, 3, 2, 6, 5, 3, 5, 8])
    events = np.array([1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0], dtype=bool)
    strata = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    weights = rng.uniform(0.5, 2.0, 12).astype(dtype)
    beta = rng.normal(0, 0.6, 4).astype(dtype)
    return check_gradient(
        penalized_neg_log_likelihood,
        True,
        beta,
        X,
        durations,
        events,
        strata,
        weights,
        0.1,
        wrt="beta",
        **options,
    )
