"""Derivatives in released packages that are wrong, each beside its function in mpmath.

``python docs/examples/packages/test_known_wrong.py`` prints them as a table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp
import numpy as np
import pytest
import scipy.special

from pytest_gradcheck import GradcheckError, GradcheckUsageError, check_gradient

X = np.array([[1.0, 0.3], [1.0, -1.2], [1.0, 0.8], [1.0, -0.4], [1.0, 1.5], [1.0, 0.1]])
COUNTS = np.array([0, 2, 1, 0, 4, 3])

#: The version of SciPy that was looked at, and a spheroidal function: m, n and c.
SCIPY, MODE = "1.17.1", (2, 3, 2.0)
looked_at = pytest.mark.skipif(scipy.__version__ != SCIPY, reason=f"not SciPy {SCIPY}")


@dataclass(frozen=True)
class Released:
    """A derivative as it was released.

    Attributes
    ----------
    forward, backward : callable
        A number and its gradient, or a gradient and its Jacobian.
    point : ndarray
        Where they differ.
    exact : callable
        In mpmath, as a function of all entries: the number, or what the gradient belongs to.
    """

    forward: Callable
    backward: Callable
    point: np.ndarray
    exact: Callable


def drude():
    """astropy 8.0.2: `Drude1D.fit_deriv` is wrong for `x_0`."""
    models = pytest.importorskip("astropy.modeling.models")
    x = 1.3
    return Released(
        lambda p: models.Drude1D.evaluate(x, *p),
        lambda p: np.array(models.Drude1D.fit_deriv(x, *p)),
        np.array([1.5, 1.1, 0.7]),
        lambda a, x_0, w: a * (w / x_0) ** 2 / ((x / x_0 - x_0 / x) ** 2 + (w / x_0) ** 2),
    )


def hermite():
    """astropy 8.0.2: `Hermite2D.evaluate` is wrong from degree 2 in y; `fit_deriv` is right."""
    models = pytest.importorskip("astropy.modeling.models")
    model, x, y = models.Hermite2D(1, 2), np.array([0.7]), np.array([1.2])
    return Released(
        lambda c: model.evaluate(x, y, *c)[0],
        lambda c: model.fit_deriv(x, y, *c)[0],
        np.array([0.5, -0.3, 0.2, 0.4, 0.7, -0.6]),
        lambda *c: sum(
            c[2 * j + i] * mp.hermite(i, x[0]) * mp.hermite(j, y[0])
            for j in range(3)
            for i in range(2)
        ),
    )


def least_squares():
    """statsmodels 0.15.0: `OLS.hessian` of the profile likelihood lacks a factor 2."""
    api = pytest.importorskip("statsmodels.api")
    model = api.OLS(COUNTS, X)

    def profile(*b):
        return -3 * mp.log(sum((y - mp.fdot(x, b)) ** 2 for x, y in rows()))

    return Released(model.score, model.hessian, np.array([0.5, 0.2]), profile)


def negative_binomial():
    """statsmodels 0.15.0: `NegativeBinomialP.hessian` is wrong for `alpha`, unless p is 1 or 2."""
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    model = discrete.NegativeBinomialP(COUNTS, X, p=3)

    def log_likelihood(*params):
        return sum(negative_binomial_logpmf(x, y, params, p=3) for x, y in rows())

    return Released(model.score, model.hessian, np.array([0.5, 0.2, 0.7]), log_likelihood)


def log_alpha():
    """statsmodels 0.15.0: before a fit, `NegativeBinomial.hessian` forgets log(alpha)."""
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    model = discrete.NegativeBinomial(COUNTS, X)

    def log_likelihood(*params):
        params = (*params[:-1], mp.exp(params[-1]))
        return sum(negative_binomial_logpmf(x, y, params, p=2) for x, y in rows())

    return Released(model.score, model.hessian, np.array([0.5, 0.2, 0.7]), log_likelihood)


def zero_inflated():
    """statsmodels 0.15.0: `ZeroInflatedPoisson.hessian` loses its mixed block."""
    counts = pytest.importorskip("statsmodels.discrete.count_model")
    model = counts.ZeroInflatedPoisson(COUNTS, X, exog_infl=X[:, :1])

    def log_likelihood(inflation, *b):
        w = 1 / (1 + mp.exp(-inflation))
        total = mp.mpf(0)
        for x, y in rows():
            mu = mp.exp(mp.fdot(x, b))
            p = (1 - w) * mp.exp(-mu) * mu**y / mp.factorial(y)
            total += mp.log(p + w if y == 0 else p)
        return total

    return Released(model.score, model.hessian, np.array([0.2, 0.5, -0.3]), log_likelihood)


def truncated_poisson():
    """statsmodels 0.15.0: `TruncatedLFGeneralizedPoisson.score` is that of p=1, whatever p is."""
    truncated = pytest.importorskip("statsmodels.discrete.truncated_model")
    model = truncated.TruncatedLFGeneralizedPoisson(COUNTS + 1, X)

    def log_likelihood(*params):
        return sum(
            truncated_at_zero(generalized_poisson_logpmf, x, y + 1, params, p=2) for x, y in rows()
        )

    return Released(model.loglike, model.score, np.array([0.5, 0.2, 0.3]), log_likelihood)


def truncated_negative_binomial():
    """statsmodels 0.15.0: `TruncatedLFNegativeBinomialP.score` is that of p=2, whatever p is."""
    truncated = pytest.importorskip("statsmodels.discrete.truncated_model")
    model = truncated.TruncatedLFNegativeBinomialP(COUNTS + 1, X, p=1)

    def log_likelihood(*params):
        return sum(
            truncated_at_zero(negative_binomial_logpmf, x, y + 1, params, p=1) for x, y in rows()
        )

    return Released(model.loglike, model.score, np.array([0.5, 0.2, 0.7]), log_likelihood)


def truncated_sphere():
    """lenstronomy 1.14.2: `SIS_truncate.hessian` is wrong for a lens that is not at the origin."""
    profiles = pytest.importorskip("lenstronomy.LensModel.Profiles.sis_truncate")
    lens, parameters = profiles.SIS_truncate(), (1.1, 0.7, 0.3, -0.2)

    def potential(x, y):
        theta, limit, *center = parameters
        r = mp.sqrt((x - center[0]) ** 2 + (y - center[1]) ** 2)
        return theta * limit + theta * (3 - r / limit) * (r - limit) / 2

    return Released(
        lambda q: np.array(lens.derivatives(*q, *parameters)),
        lambda q: np.reshape(lens.hessian(*q, *parameters), (2, 2)),
        np.array([0.9, 0.5]),
        potential,
    )


def frank():
    """statsmodels 0.15.0: `TransfFrank.deriv` and `deriv2` have the wrong sign."""
    transforms = pytest.importorskip("statsmodels.distributions.copula.transforms")
    generator = transforms.TransfFrank()

    def value(t):
        return -mp.log(mp.expm1(-2 * t) / mp.expm1(-2))

    return Released(
        lambda t: generator.evaluate(t, 2.0)[0],
        lambda t: generator.deriv(t, 2.0),
        np.array([0.3]),
        value,
    )


def embedding():
    """scikit-learn 1.9.1: the gradient of `TSNE(n_components=3)` is wrong."""
    t_sne = pytest.importorskip("sklearn.manifold._t_sne")
    n, pairs = 4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]  # in the order of pdist
    P = np.array([0.2, 0.05, 0.05, 0.1, 0.04, 0.06])

    def value_and_gradient(v):
        return t_sne._kl_divergence(v, P, degrees_of_freedom=2, n_samples=n, n_components=3)

    def divergence(*v):
        square = [sum((v[3 * i + k] - v[3 * j + k]) ** 2 for k in range(3)) for i, j in pairs]
        kernel = [(1 + s / 2) ** mp.mpf(-1.5) for s in square]
        total = 2 * sum(kernel)
        return 2 * sum(p * mp.log(p * total / k) for p, k in zip(P.tolist(), kernel, strict=True))

    point = np.random.default_rng(0).normal(size=3 * n)
    return Released(
        lambda v: value_and_gradient(v)[0], lambda v: value_and_gradient(v)[1], point, divergence
    )


def rows():
    return [(x.tolist(), int(y)) for x, y in zip(X, COUNTS, strict=True)]


def negative_binomial_logpmf(x, y, params, p):
    *b, alpha = params
    mu = mp.exp(mp.fdot(x, b))
    size = mu ** (2 - p) / alpha
    q = size / (size + mu)
    choose = mp.loggamma(y + size) - mp.loggamma(size) - mp.loggamma(y + 1)
    return choose + size * mp.log(q) + y * mp.log(1 - q)


def generalized_poisson_logpmf(x, y, params, p):
    *b, alpha = params
    mu = mp.exp(mp.fdot(x, b))
    a = alpha * mu ** (p - 1)
    t = mu + a * y
    return mp.log(mu) + (y - 1) * mp.log(t) - y * mp.log(1 + a) - t / (1 + a) - mp.loggamma(y + 1)


def truncated_at_zero(logpmf, x, y, params, p):
    return logpmf(x, y, params, p) - mp.log(1 - mp.exp(logpmf(x, 0, params, p)))


CASES = [
    drude,
    hermite,
    least_squares,
    negative_binomial,
    log_alpha,
    zero_inflated,
    truncated_poisson,
    truncated_negative_binomial,
    frank,
    truncated_sphere,
    embedding,
]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            marks=pytest.mark.xfail(raises=GradcheckError, strict=True, reason=case.__doc__),
        )
        for case in CASES
    ],
)
def test_derivative(gradcheck, case):
    released = case()
    gradcheck(released.forward, released.backward, released.point)


def worst_entry(released):
    """Return the worst entry of a check, and the exact derivative."""
    report = check_gradient(released.forward, released.backward, released.point)
    worst = report.worst[0]
    orders = [0] * released.point.size
    for index in (worst.index, worst.output_index):
        if index:
            orders[index[0]] += 1
    exact = mp.diff(released.exact, tuple(released.point.tolist()), tuple(orders))
    return worst, float(exact)


@pytest.mark.parametrize("case", CASES)
def test_exact_derivative(case):
    """One of the two sides is exact to nine digits; only for `hermite` that is backward."""
    worst, exact = worst_entry(case())
    right, wrong = worst.numerical, worst.backward
    if case is hermite:
        right, wrong = wrong, right
    assert right == pytest.approx(exact, rel=1e-9)
    assert abs(wrong - exact) > 0.01 * abs(exact)


@looked_at
@pytest.mark.xfail(
    raises=GradcheckError, strict=True, reason=f"scipy {SCIPY}: `obl_rad2` is wrong"
)
def test_spheroidal_function(gradcheck):
    """The value is not exact either, as the next test shows."""
    gradcheck(lambda x: scipy.special.obl_rad2(*MODE, x), True, 0.4)


@looked_at
def test_wronskian(gradcheck):
    """The functions of the first and the second kind have one that is known: 1 / (c (x^2 + 1))."""
    (a, da), (b, db) = (f(*MODE, 0.4) for f in (scipy.special.obl_rad1, scipy.special.obl_rad2))
    gradcheck(lambda x: scipy.special.obl_rad1(*MODE, x), True, 0.4)
    assert (a * db - da * b) * 2 * (0.4**2 + 1) == pytest.approx(0.5682262)


@pytest.mark.xfail(
    raises=GradcheckUsageError,
    strict=True,
    reason="jax 0.10.2: the gradient of `spence` is NaN between 1 and 2, not log(x) / (1 - x)",
)
def test_dilogarithm(gradcheck):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        gradcheck(jax.scipy.special.spence, "jax", jax.numpy.array(1.5))


@pytest.mark.xfail(
    raises=GradcheckError, strict=True, reason="jax 0.10.2: `betaln(2, y)` jumps by 1e-6 at 8"
)
def test_logarithm_of_beta(gradcheck):
    """The gradient is right; the values are not, from 8 on."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        gradcheck(lambda y: jax.scipy.special.betaln(2.0, y), "jax", jax.numpy.array(8.0))


if __name__ == "__main__":
    print("| what | entry | backward | numerical | exact |\n|---|---|---|---|---|")
    for case in CASES:
        worst, exact = worst_entry(case())
        values = (f"{v:.8g}" for v in (worst.backward, worst.numerical, exact))
        print("|", " | ".join([case.__doc__, worst.name, *values]), "|")
