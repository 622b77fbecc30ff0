"""`torch.autograd.gradcheck` of a custom `Function`, as in its documentation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from tests.benchmarks.rivals.rival import Floats, Rival

__all__ = ["FAST", "SLOW"]

torch.set_num_threads(1)


def accepts(
    forward: Callable[[Floats], Any], claim: Floats, point: Floats, *, fast_mode: bool
) -> bool:
    """Check a claim with torch's defaults."""
    gradient = torch.from_numpy(claim.copy())

    class Checked(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.new_tensor(float(forward(x.detach().numpy().copy())))

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            return grad_output * gradient

    torch.manual_seed(0)
    x = torch.from_numpy(point.copy()).requires_grad_()
    return bool(
        torch.autograd.gradcheck(Checked.apply, (x,), fast_mode=fast_mode, raise_exception=False)
    )


SLOW = Rival(
    "torch gradcheck",
    "torch",
    partial(accepts, fast_mode=False),
    "defaults: `eps=1e-6`, `atol=1e-5`, `rtol=1e-3`",
)
FAST = Rival(
    "torch gradcheck, fast mode",
    "torch",
    partial(accepts, fast_mode=True),
    "`fast_mode=True`, defaults otherwise",
)
