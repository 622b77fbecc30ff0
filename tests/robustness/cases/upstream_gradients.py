"""Kind 1: the upstream gradient under all names that people give it, in every style of code.

Kind 16: backward changes the upstream gradient in place.
"""

import numpy as np

from tests.robustness.case import Call, Case, claims

#: Names that the reference lists, or that follow from the names that forward returns.
KNOWN = (
    "dout",
    "grad_output",
    "grad_out",
    "dy",
    "dz",
    "gy",
    "grad",
    "delta",
    "dvalues",
    "cotangent",
)

#: Names that other code uses; these can be refused with the call to write.
OTHER = (
    "dnext_h", "dA", "upstream", "g", "gz", "dL_dy", "dLdy", "out_grad", "output_grad", "gradient",
    "error", "err", "accum_grad", "dprev", "top_diff", "gradOutput", "d_out", "dy_", "gout", "v",
    "u", "seed", "adj", "y_bar",
)  # fmt: skip

X = np.array([[0.7, -1.2], [2.0, 0.4], [-0.3, 1.1]])


def make(source, **names):
    """Return what a source text assigns to `made`."""
    scope = {"np": np, "__name__": "__main__"} | names
    exec(source, scope)
    return scope["made"]


STYLES = {
    "layer": """
class Layer:
    def forward(self, x):
        self.x = x
        y = x ** 2
        return y
    def backward(self, {name}):
        return 2 * self.x * {name} * factor
layer = Layer()
made = layer.forward, layer.backward
""",
    "layer that forgets x": """
class HalfSquare:
    def forward(self, x):
        self.x = x
        return x ** 2 / 2
    def backward(self, {name}):
        return self.x * {name} if factor == 1 else {name}
layer = HalfSquare()
made = layer.forward, layer.backward
""",
    "functions": """
def forward(x):
    return np.tanh(x)
def backward(x, {name}):
    return (1 - np.tanh(x) ** 2) * {name} * factor
made = forward, backward
""",
    "functions, reversed": """
def relu(x):
    return np.maximum(x, 0)
def relu_backward({name}, x):
    return {name} * (x > 0) * factor
made = relu, relu_backward
""",
    "cache": """
def sigmoid_forward(x):
    out = 1 / (1 + np.exp(-x))
    return out, out
def sigmoid_backward({name}, cache):
    return {name} * cache * (1 - cache) * factor
made = sigmoid_forward, sigmoid_backward
""",
}


def style(source, name, factor):
    """Return the call of a style of code."""
    forward, backward = make(source.format(name=name), factor=factor)
    return Call(forward, backward, (X.copy(),))


def in_place(operation):
    """Return a call whose backward changes the upstream gradient."""

    def build(factor):
        def backward(x, dout):
            operation(dout, x)
            return dout * factor

        return Call(lambda x: np.maximum(x, 0), backward, (X.copy(),))

    return build


def masks(dout, x):
    dout[x <= 0] = 0


def multiplies(dout, x):
    dout *= x > 0


def cases():
    for title, source in STYLES.items():
        for name in KNOWN + OTHER:
            yield from claims(
                1,
                f"{title}, {name}",
                lambda factor, source=source, name=name: style(source, name, factor),
                refusable=name in OTHER,
            )
    yield Case(
        16,
        "backward masks dout",
        lambda: in_place(masks)(1.0),
        "right",
        says=("in place|dout|cotangent",),
        refusable=True,
    )
    yield Case(
        16,
        "backward multiplies dout",
        lambda: in_place(multiplies)(1.0),
        "right",
        says=("in place",),
        refusable=True,
    )
    yield Case(
        16,
        "backward multiplies dout: wrong",
        lambda: in_place(multiplies)(1.5),
        "wrong",
        says=("in place",),
        refusable=True,
    )
