"""Definitions of derivatives in source code."""

from textwrap import dedent

from pytest_gradcheck.gradient_coverage.definitions import Definition, definitions_in
from pytest_gradcheck.gradient_coverage.name_patterns import USUAL_PATTERNS, NamePatterns

NAMES = NamePatterns(USUAL_PATTERNS)


def names(source: str) -> list[str]:
    """Return the names of the definitions in some source code."""
    found = definitions_in(dedent(source), "nn", NAMES)
    return [definition.name.removeprefix("nn:") for definition in found]


def test_functions_methods_and_lambdas_are_definitions() -> None:
    """Wherever they are nested."""
    assert names(
        """
        def relu_grad(x): return x > 0
        async def grad_W(): return 1
        class Affine:
            def backward(self): return 1
            class Inner:
                grad = lambda self: 1
        def relu(x):
            def backward(dout): return dout
            return x, backward
        if True:
            try:
                tanh_grad = lambda x: 1 / x
            except ImportError:
                def sigmoid_grad(x): return x
        self.x_grad = lambda x: x
        forward = lambda x: x
        """
    ) == [
        "relu_grad", "grad_W", "Affine.backward", "Affine.Inner.grad", "relu.backward",
        "tanh_grad", "sigmoid_grad", "x_grad",
    ]  # fmt: skip


def test_definition_may_stand_below_its_name() -> None:
    """Files without such a word are not parsed, whatever they hold."""
    assert names("x_grad = (\n    lambda x: x\n)\n") == ["x_grad"]
    assert names("def forward(:") == []


def test_lines_are_those_of_the_definition_and_of_its_code() -> None:
    """The code of a decorated function begins at its first decorator."""
    (found,) = definitions_in("\n@a\n@b\ndef grad(): return 1\n", "nn.loss", NAMES)
    assert found == Definition("nn.loss:grad", 4, 2)
    code = compile("\n@a\n@b\ndef grad(): return 1\n", "x", "exec").co_consts[0]
    assert code.co_firstlineno == found.first_line


def test_declarations_are_no_definitions() -> None:
    """Abstract methods, overloads, stubs and setters compute nothing."""
    assert (
        names(
            '''
            class Loss(Protocol):
                def gradient(self): ...
                @abc.abstractmethod
                def backward(self): return 1
                @overload
                def hess(self) -> int: return 1
                def jac(self):
                    """Return the Jacobian."""
                    raise NotImplementedError("later")
                def vjp(self): raise NotImplementedError
                def grad(self): pass
                def x_grad(self): return NotImplementedError
                @grad.setter
                def x_grad(self, value): self.value = value
            '''
        )
        == []
    )


def test_pragma_excludes_a_definition_or_a_class() -> None:
    """On any line before the body, or on the only line; elsewhere it has no effect."""
    assert names(
        """
        def relu_grad(x):  # pragma: no gradcheck
            return x > 0
        @decorated  # pragma: no gradcheck (measured)
        def tanh_grad(x):
            return x
        def sigmoid_grad(
            x,  # pragma: no gradcheck
        ):
            return x
        class Old:  # pragma: no gradcheck
            def backward(self): return 1
        x_grad = lambda x: x  # pragma: no gradcheck
        def y_grad(x): return x  # pragma: no gradcheck
        def z_grad(x):
            return x  # pragma: no gradcheck
        """
    ) == ["z_grad"]
