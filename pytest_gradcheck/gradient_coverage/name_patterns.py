"""Names of functions that compute derivatives, as patterns.

A pattern is one of `fnmatch`, and the last that matches decides, as in a ``.gitignore`` file: one
that begins with ``!`` excludes. A pattern without a dot is about the last part of a name, with
leading underscores left out; one with dots is about as many parts of the full name as it has, or
more. This module does not know source code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

__all__ = ["USUAL_PATTERNS", "NamePatterns"]

#: Usual names of hand-written derivatives, and names that only look like them.
USUAL_PATTERNS = (
    "backward*", "*_backward", "backprop*", "back_prop*", "*_backprop",
    "grad", "grads", "grad_*", "*_grad", "*_grads", "gradient", "gradients",
    "*_gradient", "*_gradients", "*loss_grad*",
    "jac*", "*_jac", "*_jacobian",
    "hess*", "*_hess", "*_hessian", "*hessian_product*", "hvp", "*_hvp",
    "*_der",
    "deriv", "deriv[123]", "deriv_*", "*_deriv", "*_deriv[123]", "derivative", "*_derivative",
    "fprime*",
    "vjp", "vjp_*", "*_vjp", "jvp", "jvp_*", "*_jvp", "adjoint", "*_adjoint",
    "!no_grad", "!*zero_grad", "!*requires_grad*", "!enable_grad", "!set_grad*", "!clip_grad*",
    "!*grad_norm*", "!has_*", "!is_*", "!use_*", "!check_*", "!test_*", "!approx*", "!numerical_*",
    "!numeric_*", "!*_numdiff*", "!jaccard*",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NamePatterns:
    """Patterns of names.

    Attributes
    ----------
    patterns : sequence of str
        The patterns; the last that matches decides.

    Examples
    --------
    >>> patterns = NamePatterns((*USUAL_PATTERNS, "RBF.__call__", "!nn.legacy.*"))
    >>> [name for name in ("nn.Affine.backward", "nn.RBF.__call__", "nn.legacy.relu_grad")
    ...  if patterns.match(name)]
    ['nn.Affine.backward', 'nn.RBF.__call__']
    """

    patterns: Sequence[str]

    def match(self, name: str) -> bool:
        """Return whether a full name is that of a derivative."""
        last = name.rpartition(".")[2].lstrip("_")
        for pattern in reversed(self.patterns):
            wanted = pattern.removeprefix("!")
            if "." in wanted:
                is_match = fnmatchcase(name, wanted) or fnmatchcase(name, f"*.{wanted}")
            else:
                is_match = fnmatchcase(last, wanted.lstrip("_"))
            if is_match:
                return wanted is pattern
        return False

    def may_match(self, last: str) -> bool:
        """Return whether a full name whose last part is this may be that of a derivative."""
        ends = (p.rpartition(".")[2] for p in self.patterns if not p.startswith("!"))
        return any(fnmatchcase(last.lstrip("_"), end.lstrip("_")) for end in ends)
