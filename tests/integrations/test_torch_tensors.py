"""Tensors of PyTorch as arrays of NumPy and back, and what is put back after a check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.integrations.array_libraries import array_library, as_numpy
from pytest_gradcheck.integrations.torch_random import (
    is_torch_generator,
    read_global_state,
    torch_generator_access,
    write_global_state,
)
from pytest_gradcheck.integrations.torch_tensors import (
    TorchTensors,
    call_module,
    computed_from,
    is_module_type,
    is_tensor_type,
    name_in_module,
)

torch = pytest.importorskip("torch")

TENSORS = TorchTensors()


@pytest.mark.parametrize("is_parameter", [False, True])
def test_tensors_have_a_library(is_parameter: bool) -> None:
    """Parameters of modules, too."""
    tensor = torch.ones(2)
    value = torch.nn.Parameter(tensor) if is_parameter else tensor
    assert isinstance(array_library(value), TorchTensors)
    assert is_tensor_type(type(value))


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.tensor([1.0, 2.0], requires_grad=True),
        lambda: torch.tensor([1.0, 2.0], requires_grad=True) * 1,
        lambda: torch.tensor([1.0, 2.0], dtype=torch.bfloat16),
        lambda: torch.tensor([1.0, 2.0]).to_sparse(),
        lambda: torch.tensor([1 + 1j, 2 + 1j]).conj().real,
    ],
    ids=["leaf", "result", "bfloat16", "sparse", "conjugate"],
)
def test_entries_are_read_whatever_the_tensor(make: Any) -> None:
    """With a graph, in a short type, in another layout."""
    assert as_numpy(make()).tolist() == [1.0, 2.0]


def test_a_parameter_records_gradients_as_the_users_does() -> None:
    """And what else is made does not."""
    like = torch.ones(2, requires_grad=True)
    entries = np.array([3.0, 4.0])
    made, parameter = TENSORS.from_numpy(entries, like), TENSORS.parameter(entries, like)
    entries[:] = 0.0
    assert (made.requires_grad, parameter.requires_grad) == (False, True)
    assert made.tolist() == parameter.tolist() == [3.0, 4.0]


def test_arrays_of_any_layout_become_tensors() -> None:
    """PyTorch takes no negative strides, and a number keeps its shape."""
    like = torch.ones(2)
    assert TENSORS.from_numpy(np.arange(3.0)[::-1], like).tolist() == [2.0, 1.0, 0.0]
    assert TENSORS.from_numpy(np.array(2.0), like).shape == ()


def test_a_copy_has_no_graph() -> None:
    """It is a leaf, of which gradients are recorded as before."""
    source = torch.ones(2, requires_grad=True)
    copied = TENSORS.copy(source * 2)
    assert (copied.is_leaf, copied.requires_grad, copied.tolist()) == (True, True, [2.0, 2.0])


def test_a_parameter_is_overwritten_in_place() -> None:
    """An alias sees it, and the gradient that was accumulated is forgotten."""
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.ones(2)
    assert TENSORS.writer(weight)(np.array([1.0, 2.0])) is weight
    assert (weight.tolist(), weight.grad) == ([1.0, 2.0], None)


def test_entries_and_gradients_are_put_back() -> None:
    """Also a gradient that was accumulated in place."""
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.ones(2)
    gradient, restore = weight.grad, TENSORS.restorer(weight)
    with torch.no_grad():
        weight += 1
    weight.grad += 1
    weight.grad = torch.zeros(2)
    restore()
    assert (weight.tolist(), weight.grad.tolist()) == ([0.0, 0.0], [1.0, 1.0])
    assert weight.grad is gradient


def test_what_did_not_change_is_not_written_to() -> None:
    """A graph would refuse to go backward through a tensor that was."""
    weight = torch.nn.Parameter(torch.zeros(2))
    version = weight._version
    TENSORS.restorer(weight)()
    assert weight._version == version


def test_a_module_is_called_with_other_parameters() -> None:
    """Its own are as before."""
    module = torch.nn.Linear(2, 1, bias=False)
    before = module.weight.tolist()
    found = call_module(module, {"weight": torch.tensor([[1.0, 2.0]])}, (torch.ones(2),), {})
    assert (found.item(), module.weight.tolist()) == (3.0, before)
    assert is_module_type(type(module))
    assert not is_module_type(dict)


def test_a_tensor_has_a_name_in_its_module() -> None:
    """Also inside others; what is not registered has none."""
    module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
    assert name_in_module(module, module[0].weight) == "0.weight"
    assert name_in_module(module, module[1].running_mean) == "1.running_mean"
    assert name_in_module(module, torch.ones(1)) is None


def test_the_global_generator_is_put_back() -> None:
    """The next number is the one that was drawn before."""
    state = read_global_state()
    first = torch.rand(3)
    write_global_state(state)
    assert torch.rand(3).equal(first)


def test_a_generator_is_put_back() -> None:
    """One that the user made."""
    generator = torch.Generator().manual_seed(7)
    read, write = torch_generator_access(generator)
    state = read()
    first = torch.rand(3, generator=generator)
    write(state)
    assert torch.rand(3, generator=generator).equal(first)
    assert (is_torch_generator(generator), is_torch_generator(np.random.default_rng())) == (
        True,
        False,
    )


def test_what_one_operation_made_was_not_computed_from_each_other() -> None:
    """Several tensors have one node of the graph, as those of `torch.unbind` do."""
    x = 2 * torch.ones(2, 3, requires_grad=True)
    first, second = x.unbind()
    assert not computed_from(first, second)
    assert computed_from(first, x)
    assert computed_from(second.exp(), second)
    assert not computed_from(second.exp(), first)
