"""The option ``reference``: a kernel of low precision beside the same function in float64."""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, Report, check_gradient

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 16)).astype(np.float16)
ROUNDING = 2.0**-10


def plain(x: Any) -> Any:
    """Return a softmax in the type of its argument."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def plain_backward(x: Any, cotangent: Any) -> Any:
    """Return its VJP."""
    y = plain(x)
    return y * (cotangent - (cotangent * y).sum(axis=-1, keepdims=True))


def kernel(x: Any) -> Any:
    """Return the same in float16, computed in float32."""
    return plain(x.astype(np.float32)).astype(np.float16)


def kernel_backward(x: Any, cotangent: Any) -> Any:
    """Return the VJP of that."""
    return plain_backward(x.astype(np.float32), cotangent.astype(np.float32)).astype(np.float16)


def scaled(factor: float) -> Any:
    """Return a backward that is off by a factor."""
    return lambda x, cotangent: (kernel_backward(x, cotangent).astype(float) * factor).astype(
        np.float16
    )


def check(backward: Any = kernel_backward, x: Any = X, **options: Any) -> Report:
    """Check the kernel."""
    return check_gradient(kernel, backward, x, **{"reference": plain, **options})


def notes(report: Report) -> list[str]:
    """Return the notes on the reference."""
    return [note.text for note in report.notes if note.kind == "reference"]


@pytest.mark.parametrize("x", [X.T, X[:, ::2], np.asfortranarray(X)], ids=["T", "step", "F"])
def test_an_array_of_any_layout_is_lifted(x: Any) -> None:
    """A transposed matrix is as usual an argument as a copy of it."""
    assert check(x=x).verdict == "correct"


def test_a_kernel_that_casts_inside() -> None:
    """Nothing about it can be measured without a reference, and everything with one."""
    assert check(reference=None).failures
    report = check()
    assert report.verdict == "correct"
    (text,) = notes(report)
    assert text.startswith("compared with plain in float64: errors of 0.0")


def test_errors_beside_those_of_the_reference() -> None:
    """A reference with a backward is also called in the type of the kernel."""
    (text,) = notes(check(reference=(plain, plain_backward)))
    assert "in x (plain: 0." in text


def test_a_wrong_kernel() -> None:
    """Its entries are named, as those of any gradient are."""
    report = check(scaled(-1))
    assert report.failures == (f"x: {report.parameters[0].wrong} of 128 entries wrong",)
    assert report.worst[0].parameter == "x"


def test_a_gradient_that_is_a_few_roundings_off() -> None:
    """No entry shows it, and all of them do."""
    report = check(scaled(1 - 3 * ROUNDING))
    assert report.verdict == "wrong"
    assert report.parameters[0].wrong == 0
    assert [breach.kind for breach in report.breaches] == ["rounding"]
    assert "entries of x are 3.0 roundings too small in the median" in report.failures[0]
    assert str(report).startswith(report.failures[0])


def test_outputs_are_compared() -> None:
    """Entry by entry, and all together."""

    def check_scaled(factor: float) -> tuple[str, ...]:
        def forward(x: Any) -> Any:
            return (kernel(x).astype(float) * factor).astype(np.float16)

        return check_gradient(forward, kernel_backward, X, reference=plain).failures

    assert " of output are 4.0 roundings too large" in check_scaled(1 + 4 * ROUNDING)[0]
    assert "forward returned " in check_scaled(1.1)[0]
    assert "roundings of the largest output" in check_scaled(1.1)[0]


def test_an_output_whose_terms_cancel() -> None:
    """It is as far off as a rounding of the arguments makes it, which is far for its size."""
    x = np.concatenate([X[0], -X[0][::-1]])
    x[0] += np.float16(0.01)

    def backward(x: Any) -> Any:
        return np.full_like(x, 1)

    def forward(x: Any, share: float = 0.0) -> Any:
        largest = np.abs(x).max()
        return np.float16(x.astype(float).sum() + share * ROUNDING * float(largest))

    def check_sum(share: float) -> tuple[str, ...]:
        return check_gradient(lambda x: forward(x, share), backward, x, reference=np.sum).failures

    assert abs(float(forward(x))) < 0.05
    assert check_sum(2.0) == ()
    assert "roundings of the largest output" in check_sum(1000.0)[0]


def test_an_elementwise_derivative() -> None:
    """All its entries are measured at once."""

    def forward(x: Any) -> Any:
        return np.tanh(x.astype(np.float32)).astype(np.float16)

    def backward(x: Any) -> Any:
        return (1 - np.tanh(x.astype(np.float32)) ** 2).astype(np.float16)

    def low(x: Any) -> Any:
        return (backward(x).astype(float) * (1 - 4 * ROUNDING)).astype(np.float16)

    pair = (np.tanh, lambda x: 1 - np.tanh(x) ** 2)
    for reference in (np.tanh, pair):
        report = check_gradient(forward, backward, X, reference=reference)
        assert (report.kind, report.failures) == ("elementwise", ())
        assert check_gradient(forward, low, X, reference=reference).verdict == "wrong"


def test_a_directional_derivative() -> None:
    """A JVP has one number for each output."""

    def jvp(x: Any, tangent: Any) -> Any:
        return (tangent.astype(np.float32) * np.cos(x.astype(np.float32))).astype(np.float16)

    def forward(x: Any) -> Any:
        return np.sin(x.astype(np.float32)).astype(np.float16)

    pair = (np.sin, lambda x, tangent: tangent * np.cos(x))
    for reference in (np.sin, pair):
        report = check_gradient(forward, jvp, X, reference=reference)
        assert (report.kind, report.verdict) == ("jvp", "correct")


def test_other_arguments_are_lifted_too() -> None:
    """A reference would be of low precision by any one of them, also in containers."""

    def forward(x: Any, options: Any) -> Any:
        return np.sum(x.astype(np.float32) * options["w"][0]).astype(np.float16)

    def backward(x: Any, options: Any) -> Any:
        return options["w"][0]

    seen = set[Any]()

    def reference(x: Any, options: Any) -> Any:
        seen.update((x.dtype, options["w"][0].dtype))
        return np.sum(x * options["w"][0])

    options: Any = {"w": [X[0]], "n": 3}
    report = check_gradient(forward, backward, X[1], options, wrt="x", reference=reference)
    assert report.failures == ()
    assert seen == {np.dtype(float)}
    assert options["w"][0].dtype == np.float16


def product(x: Any, weight: Any) -> Any:
    """Return a product, entry by entry."""
    return x * weight


@pytest.mark.parametrize("options", [{"workers": 1}, {"batched": True}, {"bounds": (-9, 9)}])
def test_other_ways_to_call_forward(options: dict[str, Any]) -> None:
    """It is the reference that they call, with all arguments in float64."""

    def forward(x: Any, weight: Any) -> Any:
        return product(x.astype(np.float32), weight).astype(np.float16)

    def backward(x: Any, weight: Any, cotangent: Any) -> Any:
        return product(cotangent.astype(np.float32), weight).astype(np.float16)

    with ExitStack() as stack:
        if "workers" in options:
            context = get_context("spawn")
            workers = ProcessPoolExecutor(options["workers"], mp_context=context)
            options = {"executor": stack.enter_context(workers)}
        report = check_gradient(
            forward, backward, X, kwargs={"weight": X[0]}, wrt="x", reference=product, **options
        )
    assert report.verdict == "correct"


def test_several_points_and_implementations() -> None:
    """Each is compared with the reference, at numbers of the low type."""
    seen = []

    def reference(x: Any) -> Any:
        seen.append(x.copy())
        return plain(x)

    report = check(points=3, also={"other": (kernel, kernel_backward)}, reference=reference)
    assert report.failures == ()
    first = [x for x in seen if np.array_equal(x.astype(np.float16).astype(float), x)]
    assert len({x.tobytes() for x in first}) >= 3


def test_many_entries() -> None:
    """They are compared with the backward of the reference, which is screened in float64."""
    x = RNG.normal(size=(80, 80)).astype(np.float16)
    pair = (plain, plain_backward)
    report = check(x=x, reference=pair)
    assert (report.mode, report.verdict) == ("fast", "correct")
    assert "3.0 roundings" in check(scaled(1 + 3 * ROUNDING), x, reference=pair).failures[-1]
    assert "of 6,400 entries wrong, x[" in check(scaled(-1), x, reference=pair).failures[0]
    wrong = (plain, lambda x, cotangent: 2 * plain_backward(x, cotangent))
    report = check(x=x, reference=wrong)
    assert notes(report) == ["what is wrong is the backward of plain in float64"]


def test_many_entries_without_a_backward() -> None:
    """They are too many to measure each, and the message says what helps."""
    with pytest.raises(GradcheckUsageError, match="6,400 entries are too many") as error:
        check(x=RNG.normal(size=(80, 80)).astype(np.float16))
    text = " ".join(str(error.value).split())
    assert "reference=(plain, ...), or say mode='full', max_evaluations=12800" in text


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (3, "reference must be a function, or a pair (forward, backward)"),
        ((plain, plain_backward, 1), "reference must be a function, or a pair"),
        (kernel, "was given float64 and returned float16: it is what kernel is compared with"),
        (lambda x: plain(x)[0], "returned outputs of the shapes [(16,)], and kernel [(8, 16)]"),
        ((plain, lambda x: x), "let both take a cotangent, a tangent or neither"),
        ((plain, lambda x, dout: x[0]), "the backward of reference=plain: lambda returned"),
    ],
)
def test_a_reference_that_is_none(reference: Any, said: str) -> None:
    """The message says what it must be."""
    with pytest.raises(GradcheckUsageError) as error:
        check(reference=reference)
    assert said in " ".join(str(error.value).split())


def test_attributes_are_refused() -> None:
    """They cannot be in float64 for one function and in float16 for the other."""

    class Layer:
        def __init__(self) -> None:
            self.w = X[0].copy()

        def forward(self, x: Any) -> Any:
            return np.sum(x * self.w)

        def backward(self, x: Any) -> Any:
            return x

    layer = Layer()
    with pytest.raises(GradcheckUsageError, match=r"pass it as\s+an\s+argument"):
        check_gradient(layer.forward, layer.backward, X[1], wrt="self.w", reference=np.dot)


def test_bfloat16() -> None:
    """Arrays of ml_dtypes are parameters like others, with or without a reference."""
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x = X.astype(bfloat16)
    types = set()

    def forward(x: Any) -> Any:
        types.add(x.dtype)
        return plain(x.astype(np.float32)).astype(bfloat16)

    def backward(x: Any, cotangent: Any) -> Any:
        types.update((x.dtype, cotangent.dtype))
        return kernel_backward(x, cotangent).astype(bfloat16)

    report = check_gradient(forward, backward, x, reference=plain, points=2)
    assert report.failures == ()
    assert types == {np.dtype(bfloat16)}
    assert check_gradient(lambda x: (x * x).sum(), lambda x: 2 * x, x).verdict == "correct"


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32"])
def test_tensors(name: str) -> None:
    """Autograd in the type of the kernel is compared with autograd in float64."""
    torch = pytest.importorskip("torch")
    dtype = getattr(torch, name)
    x = torch.tensor(X.astype(np.float32)).to(dtype)

    def softmax(x: Any) -> Any:
        return torch.softmax(x, -1)

    def backward(x: Any, cotangent: Any) -> Any:
        x = x.detach().requires_grad_()
        (found,) = torch.autograd.grad(softmax(x), x, cotangent)
        return found

    def low(x: Any, cotangent: Any) -> Any:
        return (backward(x, cotangent).double() * (1 - 4 * torch.finfo(dtype).eps)).to(dtype)

    for reference in (softmax, (softmax, "torch")):
        assert check_gradient(softmax, backward, x, reference=reference).failures == ()
    assert check_gradient(softmax, low, x, reference=softmax).verdict == "wrong"


def test_it_is_in_the_record() -> None:
    """A report with a function as an option can be written."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check()
    assert report.options["reference"].origin == "call"
