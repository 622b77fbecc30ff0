"""All handwritten functions."""

from __future__ import annotations

from tests.handwritten_backward.handwritten_function import HandwrittenFunction

__all__ = ["HALVES", "functions_of"]

#: The functions that methods were built with.
FIRST = (
    "course_network",
    "two_layer_class",
    "layer_functions",
    "batchnorm_graph",
    "batchnorm_short",
    "layer_norm",
    "convolution_im2col",
    "lstm_cell",
)

#: The functions that no method was built with: they were added when the methods were finished.
SECOND = (
    "max_pooling",
    "gru_cell",
    "rnn_ten_steps",
    "masked_attention",
    "embedding_cross_entropy",
    "gaussian_process",
    "kalman_filter",
    "ode_adjoint",
)

HALVES = {"first": FIRST, "second": SECOND}


def functions_of(half: str) -> list[HandwrittenFunction]:
    """Return the functions of one half, or ``"all"``."""
    names = [name for half_names in HALVES.values() for name in half_names]
    return [HandwrittenFunction(name) for name in (names if half == "all" else HALVES[half])]
