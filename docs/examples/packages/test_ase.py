"""Forces and stresses of calculators of ASE."""

import pytest

build = pytest.importorskip("ase.build")
emt = pytest.importorskip("ase.calculators.emt")
lj = pytest.importorskip("ase.calculators.lj")

CALCULATORS = [
    ("Cu", emt.EMT()),
    ("Ar", lj.LennardJones(sigma=3.4, epsilon=0.01, rc=9.0, smooth=True)),
]


@pytest.mark.parametrize(("symbol", "calculator"), CALCULATORS, ids=["EMT", "LennardJones"])
def test_forces(gradcheck, symbol, calculator):
    """Forces are minus the gradient of the energy with respect to the positions."""
    atoms = build.bulk(symbol, "fcc", a=3.6 if symbol == "Cu" else 5.3, cubic=True)
    atoms.rattle(0.1, seed=0)
    atoms.calc = calculator

    def energy(positions):
        atoms.positions = positions
        return atoms.get_potential_energy()

    def gradient(positions):
        atoms.positions = positions
        return -atoms.get_forces()

    gradcheck(energy, gradient, atoms.positions)
