"""Felsenstein's pruning on a tree: branch lengths and base frequencies, by two passes."""

import numpy as np

EDITED = ("PhyloModel.d_loglik",)

CODES = {"A": [0], "C": [1], "G": [2], "T": [3], "R": [0, 2], "Y": [1, 3], "-": [0, 1, 2, 3]}


class PhyloModel:
    """
    F81 with rate categories. `parent` lists the parent of every node in postorder, the root is
    the last one and the tips are the first ones. Branch k leads to node k.
    """

    def __init__(self, alignment, parent, rates):
        self.parent = parent
        self.rates = rates
        self.n_nodes = len(parent)
        self.n_sites = len(alignment[0])
        self.tips = np.zeros((len(alignment), self.n_sites, 4))
        for k, sequence in enumerate(alignment):
            for site, letter in enumerate(sequence):
                self.tips[k, site, CODES[letter]] = 1

    def frequencies(self, eta):
        """Base frequencies from three log ratios to the last one."""
        e = np.exp(np.append(eta, 0))
        return e / e.sum()

    def postorder(self, log_t, pi, rate):
        """Partial likelihoods at the nodes, and at the upper end of each branch."""
        beta = 1 / (1 - np.sum(pi**2))
        stay = np.exp(-beta * rate * np.exp(log_t))
        partial = np.ones((self.n_nodes, self.n_sites, 4))
        partial[: len(self.tips)] = self.tips
        upper = np.ones((self.n_nodes, self.n_sites, 4))
        for k in range(self.n_nodes - 1):
            mixed = partial[k] @ pi
            upper[k] = stay[k] * partial[k] + (1 - stay[k]) * mixed[:, None]
            partial[self.parent[k]] *= upper[k]
        return beta, stay, partial, upper

    def loglik(self, log_t, eta):
        pi = self.frequencies(eta)
        site = 0
        for rate in self.rates:
            _, _, partial, _ = self.postorder(log_t, pi, rate)
            site = site + partial[-1] @ pi / len(self.rates)
        return np.sum(np.log(site))

    def d_loglik(self, log_t, eta):
        pi = self.frequencies(eta)
        t = np.exp(log_t)
        passes = [self.postorder(log_t, pi, rate) for rate in self.rates]
        site = sum(partial[-1] @ pi for _, _, partial, _ in passes) / len(self.rates)
        d_site = 1 / (site * len(self.rates))

        d_t = np.zeros_like(log_t)
        d_pi = np.zeros(4)
        d_beta = 0.0
        for rate, (beta, stay, partial, upper) in zip(self.rates, passes, strict=True):
            d_pi += d_site @ partial[-1]
            # preorder: below[k] is the derivative by the partial likelihoods of node k
            below = np.zeros_like(partial)
            below[-1] = d_site[:, None] * pi
            for k in range(self.n_nodes - 2, -1, -1):
                d_upper = below[self.parent[k]].copy()
                for sister in range(self.n_nodes - 1):
                    if self.parent[sister] == self.parent[k] and sister != k:
                        d_upper *= upper[sister]
                total = d_upper.sum(axis=1)
                mixed = partial[k] @ pi
                d_stay = np.sum(d_upper * partial[k]) - np.sum(total * mixed)
                d_t[k] -= d_stay * stay[k] * beta * rate
                d_beta -= d_stay * stay[k] * rate * t[k]
                d_pi += (1 - stay[k]) * (total @ partial[k])
                below[k] = stay[k] * d_upper + (1 - stay[k]) * np.outer(total, pi)

        # the rate matrix is scaled to one substitution for a unit of time
        d_pi += d_beta * beta**2 * 2 * pi
        d_eta = pi[:3] * (d_pi[:3] - d_pi @ pi)
        return d_t * t, d_eta


def check(check_gradient, dtype=np.float64, **options):
    alignment = ["ACGTTAGC-A", "ACGTCAGCTA", "ATGTCGRCTA", "GTGACGACTT", "GCYACGATTT"]
    # ((0, 1), 2), (3, 4)
    parent = [5, 5, 6, 7, 7, 6, 8, 8, -1]
    model = PhyloModel(alignment, parent, rates=[0.3, 0.9, 1.8])
    log_t = np.log([0.12, 0.2, 0.35, 0.25, 0.18, 0.1, 0.15, 0.3]).astype(dtype)
    eta = np.array([0.2, -0.3, 0.15], dtype=dtype)
    return check_gradient(model.loglik, model.d_loglik, log_t, eta, **options)
