"""Random numbers that backward draws itself.

Before backward the generators are restored to the states that they had before forward. Where
both draw the same numbers, backward is a function of its arguments. Where backward draws others
and what it returns depends on them, it is no derivative of forward. It does not judge the claims.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_gradcheck.binding.backward.base_claim import BaseClaim
from pytest_gradcheck.binding.backward.claim_difference import Difference, find_difference
from pytest_gradcheck.binding.forward.base_evaluation import BaseEvaluation
from pytest_gradcheck.binding.random_state.replay import Replay, States
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Draws", "draws_of_backward"]

#: Claims that differ by more than this share, with other random numbers, depend on them.
SHARE = 1e-10


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers that backward draws itself.

    Attributes
    ----------
    generators : tuple of str
        Where it draws them from.
    refusal : str
        Why a claim that is wrong is refused instead: it depends on random numbers that forward
        may not have drawn. Empty where it does not.
    """

    generators: tuple[str, ...] = ()
    refusal: str = ""


NO_DRAWS = Draws()


def draws_of_backward(
    base: BaseEvaluation,
    claimed: BaseClaim,
    replay: Replay,
    *,
    by_forward: States,
    by_backward: States,
) -> Draws:
    """Return what backward draws, and how its claim depends on that.

    Parameters
    ----------
    base, claimed : BaseEvaluation, BaseClaim
        Forward and backward at the base point.
    replay : Replay
        Puts random generators back.
    by_forward, by_backward : States
        The generators that each of them draws from, and their states after it.

    Raises
    ------
    GradcheckUsageError
        When the claim depends on random numbers, and forward draws none from that generator.
    """
    if not by_backward:
        return NO_DRAWS
    others = replay.different(by_backward, by_forward)
    backward_alone = {k: state for k, state in others.items() if k not in by_forward}
    for states in (backward_alone, others):
        difference = _difference_from(base, claimed, replay, states) if states else None
        if difference is None:
            continue
        names = ", ".join(replay.names(states))
        refusal = (
            f"{claimed.backward.name} is not repeatable: from {names} it draws other random "
            f"numbers than {base.forward.name}, and depending on these it gave {difference}, so "
            "nothing was judged. Let forward draw them and return them in its cache, or let "
            "backward draw the same numbers as forward, in the same order."
        )
        if states is backward_alone:
            raise GradcheckUsageError(refusal)
        return Draws(replay.names(by_backward), refusal)
    return Draws(replay.names(by_backward))


def _difference_from(
    base: BaseEvaluation, claimed: BaseClaim, replay: Replay, states: States
) -> Difference | None:
    """Return how the claim differs where backward draws other random numbers."""
    output = base.forward.call()
    with replay.starting_at(states):
        result = claimed.backward.call(output, claimed.given)
    return find_difference(claimed.result, result, base.working_copy.parameters, SHARE)
