"""Functions into which bugs are injected."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.causes.claimed_gradients import Claims, Gradients, Subject
from tests.benchmarks.causes.corpus_subjects import CorpusSubject
from tests.benchmarks.causes.handwritten_subjects import HandwrittenSubject
from tests.benchmarks.causes.special_bugs import SPECIAL_BUGS, SpecialBug
from tests.benchmarks.without_wrong_lines import without_wrong_lines
from tests.corpus.families.all_families import FAMILIES
from tests.handwritten_backward.all_functions import READ_GROUPS, functions_of

SUBJECTS: list[Subject] = [
    *(HandwrittenSubject(f.name, f.path) for f in functions_of(READ_GROUPS)),
    CorpusSubject(FAMILIES[0], 0),
]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
class TestEverySubject:
    """What holds for every function."""

    def test_is_right_without_a_bug(self, subject: Subject) -> None:
        """Where no claim is changed, the check passes."""
        assert subject.check(lambda gradients: {}).passed

    def test_a_bug_concerns_its_parameter_alone(self, subject: Subject) -> None:
        """Of the claims, those that a bug changes are wrong, and the others right."""
        names = list(subject.gradients().claims)
        for chosen in (names[::2], names[1::2]):

            def doubled(gradients: Gradients, chosen: list[str] = chosen) -> Claims:
                return {name: 2 * gradients.claims[name] for name in chosen}

            with without_wrong_lines():
                report = subject.check(doubled)
            assert [p.name for p in report.parameters if p.verdict == "wrong"] == chosen


def test_claims_under_other_upstream_gradients() -> None:
    """A bug may ask for the claims under another upstream gradient."""
    function = next(f for f in functions_of(["built-with"]) if f.name == "batchnorm_graph")
    subject, seen = HandwrittenSubject(function.name, function.path), list[bool]()

    def looking(gradients: Gradients) -> Claims:
        assert gradients.under_squares is not None
        (cotangent,) = gradients.cotangents
        squares = gradients.under_squares()
        seen.append(np.allclose(squares["beta"], (cotangent**2).sum(axis=0)))
        return {}

    assert subject.check(looking).passed
    assert all(seen)


@pytest.mark.parametrize("bug", SPECIAL_BUGS, ids=lambda bug: bug.name)
def test_special_bugs_are_found(bug: SpecialBug) -> None:
    """The check of every function with a bug of its own fails."""
    assert bug.check(0).verdict == "wrong"
