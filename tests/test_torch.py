"""Functions, modules and derivative rules of PyTorch, end to end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, Report, check_gradient
from pytest_gradcheck.report.message import render_text

torch = pytest.importorskip("torch")

X = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)


class Cube(torch.autograd.Function):  # type: ignore[misc, name-defined]  # it may be missing
    """The cube, with a factor in its derivative."""

    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        """Return the cube."""
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x**3

    @staticmethod
    def backward(ctx: Any, dout: Any) -> Any:
        """Return the product with the derivative."""
        (x,) = ctx.saved_tensors
        return ctx.factor * x**2 * dout, None


class Network(torch.nn.Module):  # type: ignore[misc, name-defined]  # likewise
    """A network that draws random numbers and keeps running means."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = torch.nn.Linear(3, 4)
        self.normalized = torch.nn.BatchNorm1d(4)
        self.dropout = torch.nn.Dropout(0.5)
        self.out = torch.nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        """Return the outputs."""
        return self.out(self.dropout(torch.tanh(self.normalized(self.hidden(x)))))


@pytest.fixture
def network() -> Network:
    """Return a network in double precision."""
    torch.manual_seed(7)
    made: Network = Network().double()
    return made


def batch() -> Any:
    """Return the inputs of a network."""
    return torch.tensor(np.random.default_rng(0).normal(size=(5, 3)))


def square_sum(x: Any) -> Any:
    """Return a number."""
    return (x**2).sum()


def test_gradients_by_hand() -> None:
    """The message has the numbers of tensors, and their shapes."""
    report = check_gradient(square_sum, lambda x: 2 * x * torch.tensor([1, 1, 1.5]), X)
    assert render_text(report).startswith(
        "x[2]: backward 6.0, numerical 4.0; 1 of 3 entries wrong\n"
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_low_precision_is_measured_in_float64(dtype: Any) -> None:
    """Where forward follows the type of its arguments."""
    report = check_gradient(square_sum, lambda x: 2 * x, X.to(dtype))
    assert report.verdict == "correct"
    assert "measured in float64, forward follows: x" in [note.text for note in report.notes]


@pytest.mark.parametrize(("factor", "verdict"), [(3, "correct"), (4, "wrong")])
def test_a_function_with_its_own_backward(factor: float, verdict: str) -> None:
    """It is checked in the function that applies it."""
    report = check_gradient(lambda x: Cube.apply(x, factor), "torch", X)
    assert (report.verdict, report.kind) == (verdict, "vjp")


def test_the_derivative_of_a_derivative() -> None:
    """Where forward itself differentiates."""

    def gradient(x: Any) -> Any:
        x = x if x.requires_grad else x.requires_grad_()
        return torch.autograd.grad((x**4).sum(), x, create_graph=True)[0]

    assert check_gradient(gradient, "torch", X).verdict == "correct"


def test_gradients_of_tensors_that_record_them() -> None:
    """A backward that calls autograd itself."""

    def backward(x: Any) -> Any:
        x = x.detach().requires_grad_()
        return torch.autograd.grad(square_sum(x), x)[0]

    assert check_gradient(square_sum, backward, X.clone().requires_grad_()).verdict == "correct"


def module_report(network: Network) -> Report:
    """Check a network by its inputs and some parameters."""
    wrt = ("x", "self.hidden.weight", "self.out.bias")
    return check_gradient(network.forward, "torch", batch(), wrt=wrt)


def test_a_module_by_its_parameters(network: Network) -> None:
    """Dropout is replayed."""
    report = module_report(network)
    assert report.verdict == "correct"
    assert [p.name for p in report.parameters] == ["x", "self.hidden.weight", "self.out.bias"]
    assert "replayed before each evaluation: torch's global state" in [
        n.text for n in report.notes
    ]


def test_parameters_inside_a_sequence() -> None:
    """Their accessors are those of Python."""

    class Sequence(torch.nn.Module):  # type: ignore[misc, name-defined]  # as above
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh())
            self.scale = torch.ones(2, dtype=torch.float64)

        def forward(self, x: Any) -> Any:
            return self.net(x) * self.scale

    module = Sequence().double()
    report = check_gradient(module.forward, "torch", batch(), wrt="self.net[0].weight")
    assert report.verdict == "correct"
    with pytest.raises(GradcheckUsageError, match=r"self\.scale is no parameter and no buffer of"):
        check_gradient(module.forward, "torch", batch(), wrt="self.scale")


def test_a_module_is_as_before(network: Network) -> None:
    """Its parameters, buffers and gradients, and the random numbers that come next."""
    network.out.bias.grad = torch.ones(2, dtype=torch.float64)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    module_report(network)
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert network.out.bias.grad.tolist() == [1.0, 1.0]
    assert network.hidden.weight.grad is None
    assert torch.get_rng_state().equal(state)


def test_a_module_that_is_called(network: Network) -> None:
    """Its inputs are checked."""
    assert check_gradient(network, "torch", batch()).verdict == "correct"


def test_a_module_in_single_precision(network: Network) -> None:
    """Its parameters are measured as they are."""
    network.float()
    report = check_gradient(network.forward, "torch", batch().float(), wrt="self.out.bias")
    assert report.verdict == "correct"


def test_a_wrong_parameter_of_a_module(network: Network) -> None:
    """It is named by its accessor."""

    class Wrong(Network):
        def forward(self, x: Any) -> Any:
            return Cube.apply(self.out.bias, 4) + x.sum()

    report = check_gradient(Wrong().double().forward, "torch", batch(), wrt=("x", "self.out.bias"))
    assert [p.verdict for p in report.parameters] == ["correct", "wrong"]


def test_tensors_that_are_not_checked_are_restored() -> None:
    """As arrays of NumPy are."""

    def forward(x: Any, seen: Any) -> Any:
        seen += 1
        return (x * seen).sum()

    seen = torch.zeros(3, dtype=torch.float64)
    report = check_gradient(forward, lambda x, seen: seen, X, seen, wrt="x")
    assert (report.verdict, seen.tolist()) == ("correct", [0.0, 0.0, 0.0])


def test_sparse_tensors_are_refused_as_parameters() -> None:
    """As data they pass."""
    sparse = torch.eye(3, dtype=torch.float64).to_sparse()
    with pytest.raises(GradcheckUsageError, match=r"sparse tensor cannot be perturbed\. Pass"):
        check_gradient(lambda x: (x @ X).sum(), lambda x: X, sparse)
    report = check_gradient(lambda w, x: (x @ w).sum(), lambda w: w / w, X, sparse, wrt="w")
    assert report.verdict == "correct"


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda: torch.ones(1, dtype=torch.float64).expand(3), "Pass x.clone()."),
        (lambda: torch.arange(3), "Pass x as floats, x.double()."),
    ],
)
def test_advice_is_that_for_tensors(make: Any, advice: str) -> None:
    """It works when it is pasted."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(square_sum, lambda x: 2 * x, make())
    assert " ".join(str(error.value).split()).endswith(advice)


class Maximum(torch.autograd.Function):  # type: ignore[misc, name-defined]  # it may be missing
    """The maximum of each row, its place, and a mean that is marked."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        """Return three outputs."""
        values, places = x.max(dim=1)
        mean = x.mean()
        ctx.mark_non_differentiable(places, mean)
        ctx.save_for_backward(places)
        ctx.count = x.shape[1]
        return values, places, mean

    @staticmethod
    def backward(ctx: Any, dvalues: Any, *_: Any) -> Any:
        """Return the gradient of the first."""
        (places,) = ctx.saved_tensors
        return torch.nn.functional.one_hot(places, ctx.count) * dvalues[:, None]


def test_outputs_that_are_not_differentiable() -> None:
    """Indices, and what is detached or marked, are left out with a note."""
    report = check_gradient(Maximum.apply, "torch", batch())
    assert report.verdict == "correct"
    assert [note.text for note in report.notes if note.kind == "nondifferentiable"] == [
        "left out, since integers have no derivative: output[1]",
        "left out, since it requires no gradient in torch: output[2]",
    ]


def test_a_function_without_any_graph_is_wrong() -> None:
    """Nothing is left out where nothing would be left."""
    report = check_gradient(lambda x: (x.detach() ** 2, x.detach()), "torch", X)
    assert report.verdict == "wrong"


def test_a_number_is_no_output_for_torch() -> None:
    """The refusal says what to return, and has no note on a call that is not the user's."""
    with pytest.raises(GradcheckUsageError, match=r"without .item\(\), float\(\) or") as error:
        check_gradient(lambda x: (x**2).sum().item(), "torch", X)
    assert not hasattr(error.value, "__notes__")


def test_a_tensor_that_records_gradients_beside_a_wrong_one() -> None:
    """A diagnosis reads the numbers of a call, in tensors of any kind."""
    x = X.clone().requires_grad_()
    assert check_gradient(lambda x: (x**3).sum(), lambda x: 2 * x**2, x).verdict == "wrong"
    assert check_gradient(lambda x, y: (x * y).sum(), lambda x, y: (y, 2 * x), x, 2 * x).wrong


def test_one_parameter_under_two_names_is_refused() -> None:
    """Neither of tied weights can change alone."""

    class Tied(torch.nn.Module):  # type: ignore[misc, name-defined]  # likewise
        """Two layers with one weight."""

        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
            self.b.weight = self.a.weight

        def forward(self, x: Any) -> Any:
            """Return the outputs."""
            return self.b(torch.tanh(self.a(x)))

    names = ["self.a.weight", "self.b.weight"]
    with pytest.raises(GradcheckUsageError, match=r"self.a.weight and self.b.weight share memory"):
        check_gradient(Tied().double().forward, "torch", batch(), wrt=names)


def test_views_of_one_tensor_are_noted() -> None:
    """As those of an array are."""
    flat = torch.arange(1.0, 7, dtype=torch.float64)
    report = check_gradient(lambda a, b: (a * b).sum(), lambda a, b: (b, a), flat[:4], flat[2:])
    assert [note.kind for note in report.notes] == ["shared"]


def test_a_rule_is_named_by_its_forward() -> None:
    """Its ``apply`` takes any arguments; backward is where an error would be."""
    report = check_gradient(Cube.apply, "torch", X, 4.0, wrt="x")
    assert report.verdict == "wrong"
    assert report.forward == "Cube.apply"
    assert report.backward_definition is not None
    assert report.backward_definition.function == "Cube.backward"


def test_numbers_are_no_parameters_for_torch() -> None:
    """The message says how to pass one, or how to leave it out."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(Cube.apply, "torch", X, 4.0)
    assert error.value.args[0] == (
        "backward='torch' differentiates by tensors, and factor is none. Pass "
        "torch.tensor(factor, dtype=torch.float64), or leave it out: wrt='x'."
    )


def test_a_rule_without_a_context_in_forward() -> None:
    """``setup_context`` has it."""

    class Square(torch.autograd.Function):  # type: ignore[misc, name-defined]  # likewise
        """The square."""

        @staticmethod
        def forward(x: Any) -> Any:
            """Return the square."""
            return x**2

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            """Keep the input."""
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, dout: Any) -> Any:
            """Return the product with the derivative."""
            (x,) = ctx.saved_tensors
            return 2 * x * dout

    assert check_gradient(Square.apply, "torch", X)["x"].verdict == "correct"


def test_a_module_that_is_called_has_attributes(network: Network) -> None:
    """The network itself is forward; hooks are called."""
    network.out.register_forward_hook(lambda module, args, output: 2 * output)
    wrt = ["x", "self.hidden.weight"]
    report = check_gradient(network, "torch", batch(), wrt=wrt)
    assert (report.verdict, report.forward) == ("correct", "Network")
    assert [parameter.name for parameter in report.parameters] == wrt


@pytest.mark.parametrize("forward", ["forward", "__call__", None])
def test_names_of_parameters_need_their_prefix(network: Network, forward: str | None) -> None:
    """As ``named_parameters()`` has them; the message says what to write."""
    called = network if forward is None else getattr(network, forward)
    with pytest.raises(GradcheckUsageError, match=r"wrt='self.hidden.weight'"):
        check_gradient(called, "torch", batch(), wrt="hidden.weight")


def test_the_class_of_a_rule_is_no_function() -> None:
    """The message has the call."""
    with pytest.raises(GradcheckUsageError, match=r"gradcheck\(Cube.apply, 'torch', \*argume"):
        check_gradient(Cube, "torch", X)


def test_a_tensor_that_was_computed_from_another_is_noted() -> None:
    """Partial derivatives are compared: a change of the one does not change the other."""
    x = X.clone().requires_grad_()
    y = (2 * x).exp()
    for backward in ("torch", lambda x, y: (y, x)):
        report = check_gradient(lambda x, y: (x * y).sum(), backward, x, y)
        assert report.verdict == "correct"
        assert "y was computed from x; each is perturbed alone" in [n.text for n in report.notes]
    report = check_gradient(lambda x, y: (x * y).sum(), "torch", y, 3 * X)
    assert "shared" not in {note.kind for note in report.notes}


def test_an_array_of_integers_beside_a_tensor_is_left_out() -> None:
    """As one of tensors is; floating numbers may have been meant to be differentiated."""
    report = check_gradient(lambda x: (x**2, np.arange(3)), "torch", X)
    assert report.verdict == "correct"
    assert "nondifferentiable" in {note.kind for note in report.notes}
    with pytest.raises(GradcheckUsageError, match="Return the tensor, without"):
        check_gradient(lambda x: (x**2, np.ones(3)), "torch", X)


def test_a_gradient_of_zero_may_be_cut_off() -> None:
    """By ``detach()`` in forward, or by None that a rule returns; no term is missing."""
    report = check_gradient(lambda x, y: torch.sin(x * y.detach()).sum(), "torch", X, 2 * X)
    (cause,) = report["y"].diagnosis
    assert cause.text.endswith("in 3 entries: detached in forward, or None?")
