"""A molecular force field: bonds, angles, torsions and charges add to one array of gradients."""

import numpy as np

EDITED = ("ForceField.bonds", "ForceField.angles", "ForceField.torsions", "ForceField.pairs")


class ForceField:
    def __init__(self, topology, parameters):
        self.top = topology
        self.par = parameters

    def energy_and_gradient(self, xyz):
        grad = np.zeros_like(xyz)
        terms = (self.bonds, self.angles, self.torsions, self.pairs)
        return sum(term(xyz, grad) for term in terms), grad

    def bonds(self, xyz, grad):
        i, j = self.top["bonds"].T
        r0, k = self.par["bonds"]
        rij = xyz[i] - xyz[j]
        r = np.linalg.norm(rij, axis=1)
        energy = np.sum(0.5 * k * (r - r0) ** 2)

        # backward
        g = (k * (r - r0) / r)[:, None] * rij
        np.add.at(grad, i, g)
        np.add.at(grad, j, -g)
        return energy

    def angles(self, xyz, grad):
        i, j, k = self.top["angles"].T
        theta0, kt = self.par["angles"]
        a, b = xyz[i] - xyz[j], xyz[k] - xyz[j]
        ra, rb = (np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
        ua, ub = a / ra, b / rb
        cos = np.sum(ua * ub, axis=1)
        theta = np.arccos(cos)
        energy = np.sum(0.5 * kt * (theta - theta0) ** 2)

        # backward
        dcos = (-kt * (theta - theta0) / np.sqrt(1 - cos**2))[:, None]
        gi = dcos * (ub - cos[:, None] * ua) / ra
        gk = dcos * (ua - cos[:, None] * ub) / rb
        np.add.at(grad, i, gi)
        np.add.at(grad, k, gk)
        np.add.at(grad, j, -(gi + gk))
        return energy

    def torsions(self, xyz, grad):
        i, j, k, l = self.top["torsions"].T
        kphi, n, phase = self.par["torsions"]
        f, g, h = xyz[i] - xyz[j], xyz[j] - xyz[k], xyz[l] - xyz[k]
        a, b = np.cross(f, g), np.cross(h, g)
        rg = np.linalg.norm(g, axis=1)
        sin = np.sum(np.cross(b, a) * g, axis=1) / rg
        phi = np.arctan2(sin, np.sum(a * b, axis=1))
        energy = np.sum(kphi * (1 + np.cos(n * phi - phase)))

        # backward, after Blondel and Karplus
        dphi = (-kphi * n * np.sin(n * phi - phase))[:, None]
        a2, b2 = np.sum(a * a, axis=1), np.sum(b * b, axis=1)
        fg, hg = np.sum(f * g, axis=1), np.sum(h * g, axis=1)
        gi = -dphi * (rg / a2)[:, None] * a
        gl = dphi * (rg / b2)[:, None] * b
        s = dphi * ((fg / (a2 * rg))[:, None] * a - (hg / (b2 * rg))[:, None] * b)
        np.add.at(grad, i, gi)
        np.add.at(grad, j, s - gi)
        np.add.at(grad, k, -s - gl)
        np.add.at(grad, l, gl)
        return energy

    def pairs(self, xyz, grad):
        i, j = self.top["pairs"].T
        q, sigma, eps, scale = self.par["pairs"]
        rij = xyz[i] - xyz[j]
        r2 = np.sum(rij**2, axis=1)
        s6 = (0.25 * (sigma[i] + sigma[j]) ** 2 / r2) ** 3
        depth = 4 * np.sqrt(eps[i] * eps[j]) * scale
        coulomb = scale * q[i] * q[j] / np.sqrt(r2)
        energy = np.sum(depth * (s6**2 - s6) + coulomb)

        # backward
        dr2 = depth * (3 * s6 - 6 * s6**2) / r2 - 0.5 * coulomb / r2
        g = 2 * dr2[:, None] * rij
        np.add.at(grad, i, g)
        np.add.at(grad, j, -g)
        return energy


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(101)
    # a zigzag of five atoms with a branch at the third one
    top = {
        "bonds": np.array([[0, 1], [1, 2], [2, 3], [3, 4], [2, 5]]),
        "angles": np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4], [1, 2, 5]]),
        "torsions": np.array([[0, 1, 2, 3], [1, 2, 3, 4], [0, 1, 2, 5]]),
        "pairs": np.array([[0, 3], [0, 4], [1, 4], [0, 5], [4, 5]]),
    }
    par = {
        "bonds": (rng.uniform(1.3, 1.6, 5), rng.uniform(4, 8, 5)),
        "angles": (rng.uniform(1.8, 2.1, 4), rng.uniform(1, 2, 4)),
        "torsions": (rng.uniform(0.4, 1, 3), np.array([3, 2, 1]), rng.uniform(0, 1, 3)),
    }
    scale = np.array([0.5, 1, 0.5, 0.5, 1])
    charge, sigma, eps = rng.uniform([[-0.8], [1.8], [0.2]], [[0.8], [2.3], [0.5]], (3, 6))
    par["pairs"] = charge, sigma, eps, scale
    xyz = np.array([[0, 0, 0], [1, 1, 0], [2, 0, 0], [3, 1, 0], [4, 0, 0], [2, -1, 1.1]])
    xyz = (xyz + rng.normal(0, 0.2, xyz.shape)).astype(dtype)
    return check_gradient(ForceField(top, par).energy_and_gradient, True, xyz, **options)
