"""Random generators of PyTorch: their states, read as bytes and restored."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pytest_gradcheck.integrations.torch_tensors import torch

__all__ = [
    "is_torch_generator",
    "read_global_state",
    "torch_generator_access",
    "write_global_state",
]

#: The states of the generators of the processor, and of each graphics card in use.
GlobalState = tuple[bytes, ...]


def read_global_state() -> GlobalState:
    """Return the states of the default generators."""
    cards = torch().cuda
    states = [torch().get_rng_state()]
    states += cards.get_rng_state_all() if cards.is_initialized() else []
    return tuple(map(_as_bytes, states))


def write_global_state(state: GlobalState) -> None:
    """Restore the states of the default generators."""
    processor, *cards = map(_as_tensor, state)
    torch().set_rng_state(processor)
    if cards:
        torch().cuda.set_rng_state_all(cards)


def is_torch_generator(value: object) -> bool:
    """Return whether a value is a `torch.Generator`."""
    return torch() is not None and isinstance(value, torch().Generator)


def torch_generator_access(
    generator: Any,
) -> tuple[Callable[[], bytes], Callable[[bytes], None]]:
    """Return the functions that read the state of a generator and restore it."""
    return partial(_read, generator), partial(_write, generator)


def _read(generator: Any) -> bytes:
    return _as_bytes(generator.get_state())


def _write(generator: Any, state: bytes) -> None:
    generator.set_state(_as_tensor(state))


def _as_bytes(state: Any) -> bytes:
    entries: bytes = state.cpu().numpy().tobytes()
    return entries


def _as_tensor(state: bytes) -> Any:
    return torch().frombuffer(bytearray(state), dtype=torch().uint8)
