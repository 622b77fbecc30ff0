"""Outputs that a package says have no derivative, beside others that have one.

PyTorch knows them: they require no gradient where the parameters do, because they are detached or
marked as not differentiable. The upstream gradient of such an output is zero, so that it is not
checked. It does not read what backward returns.
"""

from __future__ import annotations

from pytest_gradcheck.binding.call.automatic_differentiation import AutomaticBackward
from pytest_gradcheck.binding.call.resolved_call import ResolvedCall
from pytest_gradcheck.binding.forward.base_evaluation import BaseEvaluation
from pytest_gradcheck.binding.forward.call_environment import CallEnvironment

__all__ = ["detached_outputs"]


def detached_outputs(
    resolved: ResolvedCall, base: BaseEvaluation, environment: CallEnvironment
) -> tuple[str, ...]:
    """Return the accessors of outputs that require no gradient; () where none does.

    Parameters
    ----------
    resolved : ResolvedCall
        The call.
    base : BaseEvaluation
        Forward at the user's own point. It is called there once more.
    environment : CallEnvironment
        Where forward is called.
    """
    backward, blocks = resolved.backward, base.output.blocks
    if not isinstance(backward, AutomaticBackward) or not backward.is_torch or len(blocks) < 2:
        return ()
    requiring = environment.run(backward.requiring_gradients, *base.working_copy.passed)
    base.working_copy.restore_changed()
    named = dict(zip(base.output.layout.all_names, requiring, strict=True))
    found = tuple(block.name for block in blocks if not named[block.name])
    return found if len(found) < len(blocks) else ()
