"""All tools of the comparison, ours first. Importing this module imports every tool."""

from tests.benchmarks.rivals.course_recipe import COURSE
from tests.benchmarks.rivals.ours import OURS, STRICT
from tests.benchmarks.rivals.with_autograd import AUTOGRAD
from tests.benchmarks.rivals.with_error_estimates import JACOBI, NUMDIFFTOOLS
from tests.benchmarks.rivals.with_jax import JAX
from tests.benchmarks.rivals.with_scipy import ABSOLUTE, RELATIVE
from tests.benchmarks.rivals.with_torch import FAST, SLOW

RIVALS = (
    OURS,
    STRICT,
    SLOW,
    FAST,
    JAX,
    AUTOGRAD,
    ABSOLUTE,
    RELATIVE,
    NUMDIFFTOOLS,
    JACOBI,
    COURSE,
)
