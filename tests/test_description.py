"""One parameter in the report's terms."""

import numpy as np
import pytest

from pytest_gradcheck.binding.blocks import Parameter
from pytest_gradcheck.description import Evidence, describe
from pytest_gradcheck.numerics.measurement import Measurement, Status


@pytest.mark.parametrize(("status", "notes"), [(Status.SMOOTH, ["unused"]), (Status.KINK, [])])
def test_claims_where_nothing_was_measured_but_zeros(status: Status, notes: list[str]) -> None:
    """Forward may not use the parameter at all; at a kink it does."""
    found = Measurement.blank(2, 1)
    found.bound[:] = 1e-12
    found.status[0] = status
    evidence = Evidence(
        parameter=Parameter("W", (2,), "float64", 0, 2),
        point=np.array([1.0, 2.0]),
        outputs=(),
        claim=np.ones((2, 1)),
        found=found,
        natural=np.ones((2, 1)),
        rounding=2e-16,
    )
    report = describe(evidence, rtol=1e-6, max_rows=5, convention="pytorch")
    assert report.verdict == "wrong"
    assert [note.kind for note in report.notes] == notes
