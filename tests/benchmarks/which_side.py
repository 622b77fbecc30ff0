"""How often a failing check says whether backward is the gradient of any function.

``python -m tests.benchmarks.which_side`` checks the gradients of the corpus against functions that
were edited, and edited gradients against the functions. An edited function leaves backward the
gradient of another function. Most edits of a gradient make it the gradient of no function; whether
they do shows in its whole Jacobian, which this measures by differences as well. Only checks that
fail count, and of these only those that no other cause explains, in which the claim about an entry
depends on other entries: every other claim has a potential, and nothing can be said of the side.

The families for tuning and the others are counted separately. ``--half``, ``--seeds``, ``--mode``
and ``--families`` choose what is checked.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report
from tests.benchmarks.without_wrong_lines import without_wrong_lines
from tests.corpus.corpus_runner import HALVES, choose_families, run_in_processes
from tests.corpus.family import Array, Case, Family

Function = Callable[[Array], Any]
Structure = Literal["gradient", "no gradient", "separable", "unknown"]

#: ``edit(case, rng)`` returns an edited function or gradient, None where it does not apply.
Edit = Callable[[Case, np.random.Generator], Function | None]

#: The kinds of diagnoses that name a side, and those that leave the cause open.
SIDES = {"no-potential": "no gradient", "consistent": "gradient"}
OPEN = {"place", "places", "coupled", *SIDES}

#: Relative steps of the Jacobian of a claim, and the relative rounding of the claim.
STEPS = (1e-5, 1e-6)
ROUNDING = 1e-14

#: Two of its entries differ if they are so many errors apart, and by this share. They are equal if
#: the error is below another share; those below a third share of the largest are zero.
DIFFERS = 10.0
VISIBLE = 1e-5
CLOSE = 1e-3
NEGLIGIBLE = 1e-12

#: The size of added terms, as a share of what the gradient amounts to.
SHARE = 0.1


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    Attributes
    ----------
    family, edit, seed : str, str, int
        What was checked.
    structure : str
        Whether the claim is a gradient.
    said : str
        The kind of the diagnosis that names a side, or why there is none: ``"silent"``,
        ``"explained"`` by another cause, ``"undetected"``.
    calls : int
        Calls of backward.
    """

    family: str
    edit: str
    seed: int
    structure: Structure
    said: str
    calls: int

    @property
    def counts(self) -> bool:
        """Whether the side can be known, and no other cause is."""
        is_open = self.said in (*SIDES, "silent")
        return is_open and self.structure in SIDES.values()

    @property
    def is_right(self) -> bool:
        """Whether the right side was named."""
        return SIDES.get(self.said) == self.structure

    @property
    def is_wrong(self) -> bool:
        """Whether the wrong side was named."""
        return self.said in SIDES and not self.is_right


def _scales(case: Case) -> Array:
    """Return the magnitude of each entry, 1 for zero."""
    size = np.abs(case.point.astype(np.float64))
    return np.where(size > 0, size, 1.0)


def _effect(case: Case) -> float:
    """Return by how much the function changes when entries change by their magnitude."""
    gradient = np.asarray(case.gradient(case.point.copy()), dtype=np.float64)
    return float(np.linalg.norm(gradient * _scales(case))) or 1.0


def _added(term: Callable[[Array, Array], Any]) -> Edit:
    """Add a term of the entries in units of their magnitudes, with random weights."""

    def edit(case: Case, rng: np.random.Generator) -> Function:
        scales, weights = _scales(case), rng.normal(size=case.point.shape)
        share = SHARE * _effect(case) / np.sqrt(case.point.size)
        return lambda x: case.forward(x) + share * term(x / scales, weights)

    return edit


def _forward_elsewhere(case: Case, rng: np.random.Generator) -> Function:
    factors = 1 + 0.05 * rng.normal(size=case.point.shape)
    return lambda x: case.forward(x * factors.astype(x.dtype))


def _forward_times_a_line(case: Case, rng: np.random.Generator) -> Function:
    weights = SHARE * rng.normal(size=case.point.shape) / _scales(case)
    return lambda x: case.forward(x) * (1 + np.sum(weights * x))


def _forward_of_permuted(case: Case, rng: np.random.Generator) -> Function:
    order = rng.permutation(case.point.size)
    return lambda x: case.forward(x.ravel()[order].reshape(x.shape))


EDITS_OF_FORWARD: Mapping[str, Edit] = {
    "penalty": _added(lambda x, w: np.sum(x**2)),
    "coupling": _added(lambda x, w: np.sum(w * x) ** 2),
    "sines": _added(lambda x, w: np.sum(np.sin(x + w))),
    "elsewhere": _forward_elsewhere,
    "times a line": _forward_times_a_line,
    "permuted": _forward_of_permuted,
}


def _changed(change: Callable[[Array, int], None]) -> Edit:
    """Change a gradient in place, at one of its entries."""

    def edit(case: Case, rng: np.random.Generator) -> Function:
        place = int(rng.integers(case.point.size))

        def gradient(x: Array) -> Array:
            claim = np.array(case.gradient(x))
            change(claim, place)
            return claim

        return gradient

    return edit


def _multiply_entry(factor: float) -> Edit:
    def change(claim: Array, place: int) -> None:
        claim.flat[place] *= factor

    return _changed(change)


def _swap(claim: Array, place: int) -> None:
    other = (place + 1) % claim.size
    claim.flat[place], claim.flat[other] = claim.flat[other], claim.flat[place]


def _zero_last(claim: Array, place: int) -> None:
    claim[-1] = 0


def _double_row(claim: Array, place: int) -> None:
    claim[place % len(claim)] *= 2


def _computed(compute: Callable[[Array, Array, Array], Any]) -> Edit:
    """Compute a claim from the gradient, the point and random numbers of its shape."""

    def edit(case: Case, rng: np.random.Generator) -> Function:
        numbers = rng.normal(size=case.point.shape).astype(case.point.dtype)
        return lambda x: compute(np.asarray(case.gradient(x)), x, numbers)

    return edit


def _gradient_elsewhere(case: Case, rng: np.random.Generator) -> Function:
    factors = 1 + 0.05 * rng.normal(size=case.point.shape)
    return lambda x: case.gradient(x * factors.astype(x.dtype))


def _of_matrices(edit: Edit) -> Edit:
    return lambda case, rng: edit(case, rng) if case.point.ndim == 2 else None


EDITS_OF_BACKWARD: Mapping[str, Edit] = {
    "entry doubled": _multiply_entry(2.0),
    "entry 1% off": _multiply_entry(1.01),
    "entry missing": _multiply_entry(0.0),
    "entries swapped": _changed(_swap),
    "last unwritten": _changed(_zero_last),
    "row doubled": _of_matrices(_changed(_double_row)),
    "transposed": _of_matrices(_computed(lambda g, x, r: g.T.reshape(g.shape))),
    "sum missing": _of_matrices(_computed(lambda g, x, r: np.broadcast_to(g[:1], g.shape).copy())),
    "rolled": _computed(lambda g, x, r: np.roll(g, 1)),
    "signs": _computed(lambda g, x, r: g * np.sign(r)),
    "factors": _computed(lambda g, x, r: g * (1 + r / 3)),
    "times the point": _computed(lambda g, x, r: g * x),
    "activation": _computed(lambda g, x, r: g * (1 - np.tanh(x) ** 2)),
    "squared": _computed(lambda g, x, r: g * np.abs(g)),
    "neighbour added": _computed(lambda g, x, r: g + SHARE * np.roll(x, 1)),
    "elsewhere": _gradient_elsewhere,
}


@dataclass(frozen=True)
class EditedCheck:
    """A check of an edited function, or of an edited gradient."""

    edit: str
    forward: Function
    backward: Function

    @property
    def is_of_backward(self) -> bool:
        """Whether the gradient was edited."""
        return self.edit.startswith("backward")


def structure_of(check: EditedCheck, case: Case) -> Structure:
    """Return whether the claim of a check is a gradient, by differences of all its entries.

    Returns
    -------
    str
        ``"separable"`` where no entry depends on another, ``"unknown"`` where differences over
        several steps do not agree.
    """
    try:
        wide, narrow = (_jacobian(check.backward, case, step) for step in STEPS)
    except Exception:  # noqa: BLE001  # outside of its domain backward may raise anything
        return "unknown"
    if not (np.isfinite(wide).all() and np.isfinite(narrow).all()):
        return "unknown"
    claim = np.asarray(check.backward(case.point.astype(np.float64)), dtype=np.float64)
    rounding = ROUNDING * float(np.abs(claim * _scales(case)).max()) / STEPS[-1]
    error = np.abs(wide - narrow) + rounding
    pairs = np.triu_indices(len(narrow), 1)
    error = (error + error.T)[pairs]
    asymmetry = np.abs(narrow - narrow.T)[pairs]
    larger = np.maximum(np.abs(narrow), np.abs(narrow.T))[pairs]
    if not (larger > DIFFERS * error).any():
        return "separable"
    if not check.is_of_backward:
        return "gradient"
    differs = asymmetry > DIFFERS * error
    if (differs & (asymmetry > VISIBLE * larger)).any():
        return "no gradient"
    is_known = (error <= CLOSE * larger) | (larger <= NEGLIGIBLE * larger.max())
    return "gradient" if (is_known & ~differs).all() else "unknown"


def _jacobian(claim: Function, case: Case, step: float) -> Array:
    """Return the Jacobian of a claim, rows and columns in units of the entries' magnitudes."""
    point, scales = case.point.astype(np.float64), _scales(case).ravel()
    columns = []
    for place in range(point.size):
        sides = []
        for sign in (1, -1):
            moved = point.copy()
            moved.flat[place] += sign * step * scales[place]
            sides.append(np.asarray(claim(moved), dtype=np.float64).ravel())
        columns.append((sides[0] - sides[1]) * scales / (2 * step))
    return np.stack(columns, axis=1)


def said_by(report: Report) -> str:
    """Return the side that a report names, or why it names none."""
    if report.verdict != "wrong":
        return "undetected"
    causes = [*report.diagnosis, *(d for p in report.parameters for d in p.diagnosis)]
    for cause in causes:
        if cause.kind in SIDES:
            return cause.kind
    wrong = [p for p in report.parameters if p.verdict == "wrong"]
    explained = all(any(d.kind not in OPEN for d in p.diagnosis) for p in wrong)
    return "explained" if report.diagnosis or explained else "silent"


def edited_checks(case: Case, seed: int) -> Iterator[EditedCheck]:
    """Yield the checks of a case: the function edited, then the gradient edited."""
    for number, (name, edit) in enumerate(EDITS_OF_FORWARD.items()):
        forward = edit(case, np.random.default_rng([seed, 0, number]))
        if forward is not None:
            yield EditedCheck(f"forward: {name}", forward, case.gradient)
    for number, (name, edit) in enumerate(EDITS_OF_BACKWARD.items()):
        backward = edit(case, np.random.default_rng([seed, 1, number]))
        if backward is not None:
            yield EditedCheck(f"backward: {name}", case.forward, backward)


def outcomes(task: tuple[Family, int, str]) -> list[Outcome]:
    """Return the outcomes of all edits of the case of a family and a seed, in a mode."""
    family, seed, mode = task
    case = family.case(seed)
    found = []
    with without_wrong_lines():
        for check in edited_checks(case, seed):
            said, calls = _said(check, case, seed, mode)
            structure: Structure = "unknown"
            if said in (*SIDES, "silent"):
                structure = structure_of(check, case)
            found.append(Outcome(family.name, check.edit, seed, structure, said, calls))
    return found


def _said(check: EditedCheck, case: Case, seed: int, mode: str) -> tuple[str, int]:
    """Return what a check says of the side, and its calls of backward."""
    point = case.point.copy()
    try:
        report = check_gradient(check.forward, check.backward, point, seed=seed, mode=mode)
    except Exception:  # noqa: BLE001  # an edited function may raise anything
        return "undetected", 0
    return said_by(report), report.backward_calls


def table(found: Iterable[Outcome]) -> str:
    """Return the counts of right sides, wrong sides and silence, by edit."""
    found = list(found)
    lines = [f"{'':<28}{'fail':>6}{'counted':>9}{'right':>7}{'wrong':>7}{'silent':>8}"]
    for title, chosen in (
        *(
            (edit, [o for o in found if o.edit == edit])
            for edit in dict.fromkeys(o.edit for o in found)
        ),
        ("a gradient", [o for o in found if o.structure == "gradient"]),
        ("no gradient", [o for o in found if o.structure == "no gradient"]),
    ):
        counted = [o for o in chosen if o.counts]
        right, wrong = sum(o.is_right for o in counted), sum(o.is_wrong for o in counted)
        fail = sum(o.said != "undetected" for o in chosen)
        lines.append(
            f"{title:<28}{fail:>6}{len(counted):>9}{right:>7}{wrong:>7}"
            f"{len(counted) - right - wrong:>8}"
            + (f"{right / len(counted):>8.1%}" if counted else "")
        )
    others = Counter(f"{o.structure}, {o.said}" for o in found if not o.counts)
    lines += ["not counted: " + "; ".join(f"{n} {what}" for what, n in sorted(others.items()))]
    calls = [o.calls for o in found if o.counts] or [0]
    lines += [f"calls of backward: median {np.median(calls):.0f}, most {max(calls)}"]
    return "\n".join(lines)


def main() -> None:
    """Print a table for each half of the families."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=tuple(HALVES), default="untuned")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--mode", choices=("full", "fast"), default="full")
    parser.add_argument("--families", nargs="*", default=())
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="list wrong sides and silence")
    given = parser.parse_args()
    families = choose_families(given.half, given.families)
    tasks = [(family, seed, given.mode) for family in families for seed in range(given.seeds)]
    found = run_in_processes(outcomes, tasks, given.jobs)
    print(f"{given.half} families, {given.mode} mode, seeds 0 to {given.seeds - 1}")
    print(table(found))
    if given.list:
        for one in found:
            if one.counts and not one.is_right:
                print(f"{one.family} {one.seed}: {one.edit}: {one.structure}, said {one.said}")


if __name__ == "__main__":
    main()
