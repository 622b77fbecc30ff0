"""Weights of a portfolio over several periods: growth, costs of trading, risk and penalties."""

import numpy as np

EDITED = ("RebalancingProblem.gradient",)


class RebalancingProblem:
    """
    Parameters
    ----------
    returns: (n_periods, n_assets) expected returns
    cov: (n_assets, n_assets) covariance of a period
    start: (n_assets,) weights before the first trade
    cost_rates: (n_assets,) cost of a unit that is traded
    risk_aversion: weight of the variance
    discount: each period counts less than the one before by this factor
    rho: weight of the penalties, for a sum that is not one, and for assets that are sold short
    width: below this size of a trade its cost is quadratic
    """

    def __init__(self, returns, cov, start, cost_rates, risk_aversion, discount, rho, width=0.03):
        self.returns = returns
        self.cov = cov
        self.start = start
        self.cost_rates = cost_rates
        self.risk_aversion = risk_aversion
        self.discount = discount
        self.rho = rho
        self.width = width

    def simulate(self, weights):
        """Trades, relative costs and growth of each period. Weights drift with the returns."""
        held = self.start
        history = []
        for w, r in zip(weights, self.returns, strict=True):
            trade = w - held
            cost = self.cost_rates @ (np.sqrt(trade**2 + self.width**2) - self.width)
            growth = 1 + w @ r
            history.append((trade, cost, growth))
            held = w * (1 + r) / growth
        return history

    def objective(self, weights):
        """To be minimized, over weights (n_periods, n_assets)."""
        value = 0.0
        factor = 1.0
        for w, (_, cost, growth) in zip(weights, self.simulate(weights), strict=True):
            value -= factor * (np.log(growth) + np.log(1 - cost))
            value += factor * 0.5 * self.risk_aversion * (w @ self.cov @ w)
            value += 0.5 * self.rho * (np.sum(w) - 1) ** 2
            value += 0.5 * self.rho * np.sum(np.minimum(w, 0) ** 2)
            factor *= self.discount
        return value

    def gradient(self, weights):
        history = self.simulate(weights)
        grad = np.zeros_like(weights)
        d_held = np.zeros_like(self.start)
        for t in reversed(range(len(weights))):
            w, r = weights[t], self.returns[t]
            trade, cost, growth = history[t]
            factor = self.discount**t

            # the drifted weights of the next period, and the growth of this one
            d_growth = -factor / growth - d_held @ (w * (1 + r)) / growth**2
            g = d_held * (1 + r) / growth + d_growth * r

            d_cost = factor / (1 - cost)
            d_trade = d_cost * self.cost_rates * trade / np.sqrt(trade**2 + self.width**2)
            g += d_trade
            d_held = -d_trade

            g += factor * self.risk_aversion * (self.cov @ w)
            g += self.rho * (np.sum(w) - 1)
            g += self.rho * np.minimum(w, 0)
            grad[t] = g
        return grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(68)
    n_periods, n_assets = 5, 4
    returns = rng.normal(0.05, 0.15, (n_periods, n_assets)).astype(dtype)
    factors = rng.normal(0, 0.4, (n_assets, n_assets))
    cov = (factors @ factors.T + 0.05 * np.eye(n_assets)).astype(dtype)
    start = np.full(n_assets, 1 / n_assets, dtype=dtype)
    cost_rates = rng.uniform(0.05, 0.2, n_assets).astype(dtype)
    problem = RebalancingProblem(returns, cov, start, cost_rates, 1.5, 0.9, 2.0)
    weights = rng.normal(0.25, 0.3, (n_periods, n_assets)).astype(dtype)
    return check_gradient(problem.objective, problem.gradient, weights, **options)
