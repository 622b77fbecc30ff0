"""What a statement of backward may have to make, each time that it is executed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.call.user_function import call_user
from pytest_gradcheck.fault_localization.adjoint_repair.forward_series import Item, Kind, Series
from pytest_gradcheck.fault_localization.adjoint_repair.replacements import (
    Execution,
    Replacement,
    Replacing,
    replacements,
)
from pytest_gradcheck.fault_localization.execution.execution_steps import Step, Steps, UserCode
from pytest_gradcheck.fault_localization.execution.frame_events import frame_events
from pytest_gradcheck.fault_localization.execution.recorded_values import Result, Version
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path
from tests.fault_localization.functions import line_of

STATEMENT = Statement("file", 1, 1, "f", (), (), frozenset("d"), {}, False, False)


def version(value: Any, occurrence: int = 0, *, direct: tuple[Version, ...] = ()) -> Version:
    """Return a value of the variable ``d``."""
    step = Step(STATEMENT, occurrence)
    return Version(Path("d"), np.array(value), step, 2, occurrence, list(direct))


def executions(*versions: Version) -> list[Execution]:
    """Return the executions that made some values."""
    return [
        Execution(k, Result(Step(STATEMENT, k), Path("d"), one)) for k, one in enumerate(versions)
    ]


def series(kind: Kind, *values: Any) -> Series:
    """Return a series of values that belong to nothing."""
    return Series(kind, "x", tuple(Item(None, np.array(value)) for value in values))


def anything(*_: object) -> bool:
    """Return that a value may be something else."""
    return True


def values_of(replacement: Replacement) -> dict[int, float]:
    """Return the numbers that are put in, by when."""
    return {execution.order: float(value) for execution, value in replacement.values.items()}


def test_series_are_tried_in_both_orders() -> None:
    """A loop of backward mostly runs from the last step to the first."""
    made = executions(version(5.0), version(6.0, 1))
    found = list(replacements(made, [series("total", 1.0, 2.0)], anything))
    assert list(map(values_of, found)) == [{0: 2.0, 1: 1.0}, {0: 1.0, 1: 2.0}]


def test_only_what_differs_is_replaced() -> None:
    """What is right shows nothing."""
    made = executions(version(2.0), version(6.0, 1))
    found = list(replacements(made, [series("total", 1.0, 2.0)], anything))
    assert values_of(found[0]) == {1: 1.0}
    assert found[0].first is made[1]


def test_series_of_another_number_of_steps_are_not_tried() -> None:
    """It is not known which values belong together."""
    made = executions(version(5.0), version(6.0, 1))
    assert not list(replacements(made, [series("total", 1.0, 2.0, 3.0)], anything))


def test_value_that_must_stay_forbids_a_replacement() -> None:
    """It is right."""
    made = executions(version(5.0), version(6.0, 1))

    def may_be(one: Version, *_: object) -> bool:
        return float(one.value) != 5

    assert not list(replacements(made, [series("total", 1.0, 2.0)], may_be))


def test_parts_are_added_to_what_was_there_before() -> None:
    """Each step of a sum adds one."""
    first = version(5.0, direct=(Version(Path("d"), np.array(0.0), None, 2, 9),))
    made = executions(first, version(6.0, 1, direct=(first,)))
    found = list(replacements(made, [series("part", 1.0, 2.0)], anything))
    added = [values_of(one) for one in found if one.is_added]
    assert added == [{0: 2.0}, {0: 1.0, 1: 2.0}]  # the second step added 1


def test_similarity_is_that_of_directions() -> None:
    """A multiple is as similar as can be, whatever its sign; zeros are like nothing."""
    made = executions(version([3.0, 0.0]), version([0.0, 4.0], 1))

    def similarity(*values: Any) -> float:
        others = map(np.array, values)
        return Replacement("x", dict(zip(made, others, strict=True)), is_added=False).similarity

    assert similarity([-6.0, 0.0], [0.0, -8.0]) == pytest.approx(1)
    assert similarity([0.0, 1.0], [1.0, 0.0]) == 0
    assert similarity([0.0, 0.0], [0.0, 0.0]) == 0
    assert similarity([4.0, 0.0], [0.0, 3.0]) == pytest.approx(24 / 25)


class Kept:
    """An object that keeps a gradient, and a function that ends with the statement."""

    def backward(self, d: Any) -> None:
        """Keep a multiple."""
        self.d = 3 * d

    def later(self, d: Any) -> Any:
        """Read what was kept before."""
        self.d = 3 * d
        return self.d + 0


@pytest.mark.parametrize("method", [Kept.backward, Kept.later])
def test_attribute_is_replaced_at_once(method: Any) -> None:
    """Nothing of the function may be executed after the statement that makes it."""
    kept, code = Kept(), UserCode.around([method.__code__])
    line = line_of(method, "self.d = 3")
    step = Step(code.statements(method.__code__.co_filename)[line], 0)
    path = Path("self", (("attribute", "d"),))
    made = Version(path, np.array([3.0, 6.0]), step, 1, 0)
    value = np.array([10.0, 20.0])
    replacement = Replacement("x", {Execution(0, Result(step, path, made)): value}, is_added=False)
    with ExitStack() as undone:
        undone.enter_context(
            frame_events(Steps(code, Replacing(replacement, undone)), code.follows)
        )
        returned = call_user(method, (kept, np.array([1.0, 2.0])), {})
        np.testing.assert_array_equal(kept.d, value)
        assert returned is None or np.array_equal(returned, value)


def test_part_of_the_data_of_the_user_is_put_back() -> None:
    """A statement may take a view of them, which is changed in place."""
    rows = np.arange(6.0).reshape(3, 2)

    def doubled(rows: Any) -> Any:
        row = rows[1]
        return 2 * row

    code = UserCode.around([doubled.__code__])
    line = line_of(doubled, "row = rows")
    step = Step(code.statements(doubled.__code__.co_filename)[line], 0)
    made, value = Version(Path("row"), rows[1].copy(), step, 1, 0), np.array([10.0, 20.0])
    execution = Execution(0, Result(step, Path("row"), made))
    with ExitStack() as undone:
        listener = Replacing(Replacement("x", {execution: value}, is_added=False), undone)
        undone.enter_context(frame_events(Steps(code, listener), code.follows))
        returned = call_user(doubled, (rows,), {})
    np.testing.assert_array_equal(returned, [20.0, 40.0])
    np.testing.assert_array_equal(rows, np.arange(6.0).reshape(3, 2))


def test_step_that_changes_nothing_is_an_execution_as_well() -> None:
    """It may be that it should have added something."""
    kept = version(5.0)
    made = executions(kept, kept)
    assert made[1].before is kept
    assert made[0].before is None
