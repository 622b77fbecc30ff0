"""A plane truss: its compliance and mass, by the areas of the bars and the places of the nodes."""

import numpy as np

EDITED = ("Truss.bar_stiffness_derivatives", "Truss.gradient")


class Truss:
    def __init__(self, bars, fixed_dofs, load, E, rho, mass_weight):
        self.bars = bars  # pairs of nodes
        self.load = load  # (2 * n_nodes,)
        self.free = np.setdiff1d(np.arange(len(load)), fixed_dofs)
        self.E, self.rho = E, rho
        self.mass_weight = mass_weight

    def geometry(self, nodes, bar):
        """Length and unit vector of a bar."""
        i, j = bar
        d = nodes[j] - nodes[i]
        L = np.sqrt(d @ d)
        return L, d / L

    def dofs(self, bar):
        i, j = bar
        return np.array([2 * i, 2 * i + 1, 2 * j, 2 * j + 1])

    def assemble(self, areas, nodes):
        n = nodes.size
        K = np.zeros((n, n), dtype=nodes.dtype)
        for area, bar in zip(areas, self.bars, strict=True):
            L, t = self.geometry(nodes, bar)
            b = np.concatenate([-t, t])
            ix = self.dofs(bar)
            K[np.ix_(ix, ix)] += self.E * area / L * np.outer(b, b)
        return K

    def solve(self, areas, nodes):
        K = self.assemble(areas, nodes)
        u = np.zeros_like(self.load)
        u[self.free] = np.linalg.solve(K[np.ix_(self.free, self.free)], self.load[self.free])
        return u

    def objective(self, areas, nodes):
        """Compliance f.u, and the weighted mass of the bars."""
        u = self.solve(areas, nodes)
        mass = 0.0
        for area, bar in zip(areas, self.bars, strict=True):
            L, _ = self.geometry(nodes, bar)
            mass += self.rho * area * L
        return self.load @ u + self.mass_weight * mass

    def bar_stiffness_derivatives(self, area, L, t, v):
        """Derivatives of v' Ke v by the area, and by the vector from one node to the other."""
        relative = v[2:] - v[:2]
        stretch = t @ relative
        d_area = self.E / L * stretch**2
        # Ke = E A / L b b', and both L and the direction in b change
        d_stretch = (relative - stretch * t) / L
        d_vector = 2 * self.E * area / L * stretch * d_stretch
        d_vector -= self.E * area / L**2 * stretch**2 * t
        return d_area, d_vector

    def gradient(self, areas, nodes):
        """The problem is self-adjoint: dC = -u' dK u."""
        u = self.solve(areas, nodes)
        d_areas = np.zeros_like(areas)
        d_nodes = np.zeros_like(nodes)
        for e, (i, j) in enumerate(self.bars):
            L, t = self.geometry(nodes, (i, j))
            v = u[self.dofs((i, j))]
            dk_area, dk_vector = self.bar_stiffness_derivatives(areas[e], L, t, v)

            d_areas[e] = -dk_area + self.mass_weight * self.rho * L
            d_vector = -dk_vector + self.mass_weight * self.rho * areas[e] * t
            d_nodes[i] -= d_vector
            d_nodes[j] += d_vector
        return d_areas, d_nodes


def check(check_gradient, dtype=np.float64, **options):
    nodes = np.array([[0, 0], [0, 1.1], [1, 0.1], [1.2, 0.9], [2.1, 0.4]], dtype=dtype)
    bars = [(0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4)]
    load = np.zeros(10, dtype=dtype)
    load[[7, 8, 9]] = [-0.4, 0.3, -1.0]
    truss = Truss(bars, [0, 1, 2, 3], load, E=5.0, rho=0.8, mass_weight=0.6)
    areas = np.random.default_rng(58).uniform(0.6, 1.6, len(bars)).astype(dtype)
    return check_gradient(truss.objective, truss.gradient, areas, nodes, **options)
