"""Forces between particles are minus the gradient of their energy."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


def separations(positions):
    difference = positions[:, None] - positions[None]
    distance = np.sqrt(np.sum(difference**2, axis=-1) + np.eye(len(positions)))
    return difference, distance, 1 - np.eye(len(positions))


def energy(positions):
    """Return the Lennard-Jones energy."""
    _, r, others = separations(positions)
    return 2 * np.sum((r**-12 - r**-6) * others)


def forces(positions):
    difference, r, others = separations(positions)
    strength = (48 * r**-14 - 24 * r**-8) * others
    return np.sum(strength[..., None] * difference, axis=1)


POSITIONS = np.array([[0.0, 0.0], [1.1, 0.2], [0.3, 1.3], [1.6, 1.5]])


def test_right(gradcheck):
    gradcheck(energy, lambda positions: -forces(positions), POSITIONS)


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match="a force, or a flipped sign"):
        gradcheck(energy, forces, POSITIONS)
