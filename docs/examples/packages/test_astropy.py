"""The derivatives of models of astropy with respect to their parameters."""

import numpy as np
import pytest

models = pytest.importorskip("astropy.modeling.models")

T = np.linspace(0.5, 3.0, 7)
MODELS = [
    (models.Gaussian1D, (1.5, 1.1, 0.8)),
    (models.Lorentz1D, (1.5, 1.1, 0.8)),
    (models.BrokenPowerLaw1D, (1.5, 1.1, 0.8, 2.0)),
    (models.Moffat1D, (1.5, 1.1, 0.8, 2.0)),
]


@pytest.mark.parametrize(
    ("model", "parameters"), MODELS, ids=lambda case: getattr(case, "name", "")
)
def test_derivatives(gradcheck, model, parameters):
    """`fit_deriv` returns a row for each parameter; a Jacobian has a column."""

    def values(parameters):
        return model.evaluate(T, *parameters)

    def jacobian(parameters):
        return np.transpose(model.fit_deriv(T, *parameters))

    gradcheck(values, jacobian, np.array(parameters))
