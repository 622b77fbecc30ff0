"""Beads on springs in a periodic box that repel each other: energy, and forces pair by pair."""

import numpy as np

EDITED = ("compute_forces",)


def minimum_image(rij, box):
    return rij - box * np.round(rij / box)


def compute_energy(positions, box, epsilon, sigma, r_cut, k_bond, r0):
    """
    positions: (N, 3) positions of the beads of one chain
    box: length of the edges of the cubic box
    Neighbours in the chain have a harmonic bond; all others a Lennard-Jones potential, which is
    truncated and shifted at r_cut.
    """
    n_beads = len(positions)
    sc6 = (sigma / r_cut) ** 6
    shift = 4 * epsilon * (sc6**2 - sc6)
    energy = 0.0
    for i in range(n_beads):
        for j in range(i + 1, n_beads):
            rij = minimum_image(positions[j] - positions[i], box)
            r = np.sqrt(np.dot(rij, rij))
            if j == i + 1:
                energy += 0.5 * k_bond * (r - r0) ** 2
            elif r < r_cut:
                sr6 = (sigma / r) ** 6
                energy += 4 * epsilon * (sr6**2 - sr6) - shift
    return energy


def compute_forces(positions, box, epsilon, sigma, r_cut, k_bond, r0):
    """Returns the forces on the beads, of shape (N, 3)."""
    n_beads = len(positions)
    forces = np.zeros_like(positions)

    # harmonic bonds along the chain
    for i in range(n_beads - 1):
        rij = minimum_image(positions[i + 1] - positions[i], box)
        r = np.linalg.norm(rij)
        f_bond = k_bond * (r - r0) * rij / r
        forces[i] += f_bond
        forces[i + 1] -= f_bond

    # Lennard-Jones between all others
    for i in range(n_beads - 2):
        for j in range(i + 2, n_beads):
            rij = minimum_image(positions[j] - positions[i], box)
            r2 = np.dot(rij, rij)
            if r2 >= r_cut**2:
                continue
            inv_r2 = 1.0 / r2
            sr6 = (sigma**2 * inv_r2) ** 3
            f_scalar = 24 * epsilon * inv_r2 * (2 * sr6**2 - sr6)
            fij = f_scalar * rij
            # Newton's third law
            forces[j] += fij
            forces[i] -= fij

    return forces


def energy_gradient(positions, box, epsilon, sigma, r_cut, k_bond, r0):
    return -compute_forces(positions, box, epsilon, sigma, r_cut, k_bond, r0)


def check(check_gradient, dtype=np.float64, **options):
    positions = np.array(
        [[0.2, 0.1, 0.3], [1.2, 0.4, 0.1], [1.6, 1.4, 0.6], [0.5, 1.5, 1.1], [3.8, 0.9, 1.7]],
        dtype=dtype,
    )
    return check_gradient(
        compute_energy,
        energy_gradient,
        positions,
        4.0,
        0.8,
        1.1,
        1.9,
        5.0,
        1.0,
        wrt="positions",
        **options,
    )
