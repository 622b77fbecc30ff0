"""A check at several points: the user's own, and others around it.

The first point at which the check fails is reported, and else one at which it has tested most. It
does not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pytest_gradcheck.binding.displacement import Displacement
from pytest_gradcheck.binding.forward.call_environment import IgnoredWarnings
from pytest_gradcheck.judgement.check_outcome import vacuous_parameters
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import Note
from pytest_gradcheck.report.representation import type_name

__all__ = ["check_at_points"]

#: The largest relative changes that are tried: forward may be undefined at a point farther away.
SHARES = (0.1, 0.01, 0.001)

Check = Callable[[Displacement | None], Report]


def check_at_points(check: Check, count: int, seed: int) -> Report:
    """Make a check at several points, up to the first at which it fails.

    Parameters
    ----------
    check : callable
        ``check(displacement)`` makes the check at a point, given from the user's own one.
    count : int
        The number of points.
    seed : int
        Draws them.

    Returns
    -------
    Report
        The report for one of them, with the evaluations and the time of all, and a note on the
        others.
    """
    reports, places, refused = [check(None)], ["the given one"], list[str]()
    for number in range(1, count):
        if reports[-1].failures:
            break
        found = _at_nearby_point(check, seed, number)
        if isinstance(found, str):
            refused.append(found)
        else:
            reports.append(found[0])
            places.append(f"at relative changes of up to {found[1]:.3g} from the given one")
    if count == 1:
        return reports[0]
    chosen = min(range(len(reports)), key=lambda k: _rank(reports[k]))
    notes = _notes(reports[chosen], chosen, places, count, refused)
    shown = reports[chosen].with_cost_of(reports)
    return replace(shown, notes=(*shown.notes, *notes))


def _at_nearby_point(check: Check, seed: int, number: int) -> tuple[Report, float] | str:
    """Return the report at a point, with its largest change; or why there is none."""
    why = ""
    for share in SHARES:
        try:
            with np.errstate(all="ignore"), IgnoredWarnings():
                return check(Displacement(seed, number, share)), share
        except Exception as error:  # noqa: BLE001  # the user did not choose this point
            why = why or f"{type_name(error)}: {error}"
    return why


def _rank(report: Report) -> tuple[bool, int, int]:
    """Return a key that is least for the report to show: one that fails, or tested most."""
    inconclusive = sum(p.verdict == "inconclusive" for p in report.parameters)
    return not report.failures, inconclusive, len(vacuous_parameters(report.parameters))


def _notes(
    report: Report, chosen: int, places: Sequence[str], count: int, refused: Sequence[str]
) -> list[Note]:
    """Return the notes on where a check was made."""
    if report.failures:
        texts = [f"point {chosen + 1} of {count}, {places[chosen]}"]
    else:
        texts = [f"checked at {len(places)} points: the given one and {len(places) - 1} around it"]
    if refused:
        text = f"nothing was checked at {len(refused)} further points: {refused[0]}"
        texts.append(" ".join(text.split()))
    return [Note("points", 0, text) for text in texts]
