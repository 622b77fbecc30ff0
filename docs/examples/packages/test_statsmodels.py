"""Score and Hessian of models of statsmodels, and derivatives of a link function."""

import numpy as np
import pytest

sm = pytest.importorskip("statsmodels.api")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
MODELS = [
    sm.Logit(RNG.integers(0, 2, size=20), X),
    sm.Poisson(RNG.integers(0, 5, size=20), X),
    sm.MNLogit(np.arange(20) % 3, X),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_model(gradcheck, model):
    params = np.linspace(-0.5, 0.8, 4 if isinstance(model, sm.MNLogit) else 2)
    gradcheck(model.loglike, model.score, params)
    gradcheck(model.score, model.hessian, params)


def test_score_of_each_observation(gradcheck):
    """`score_obs` returns a Jacobian, with a row for each observation."""
    logit = MODELS[0]
    gradcheck(logit.loglikeobs, logit.score_obs, np.array([0.4, -1.1]))


def test_link(gradcheck):
    link, p = sm.families.links.CLogLog(), np.array([0.2, 0.5, 0.9])
    gradcheck(link, link.deriv, p)
    gradcheck(link.deriv, link.deriv2, p)
    gradcheck(link.inverse, link.inverse_deriv, link(p))
