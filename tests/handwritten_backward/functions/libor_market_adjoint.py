"""Greeks of swaptions in a LIBOR market model: pathwise adjoints with names that end in _b."""

import numpy as np

EDITED = ("path_b", "portfolio_b", "greeks")

DELTA = 0.25


def path(L, lam, z):
    """Evolve the forward rates over len(z) periods under the spot measure, rates stay at reset."""
    Nmat = len(z)
    states = [L]
    for n in range(Nmat):
        L = L.copy()
        v = 0.0
        for i in range(n + 1, len(L)):
            sig = lam[i - n - 1]
            v += DELTA * sig * L[i] / (1 + DELTA * L[i])
            L[i] *= np.exp(sig * v - 0.5 * DELTA * sig**2 + sig * np.sqrt(DELTA) * z[n])
        states.append(L)
    return states


def path_b(states, lam, z, L_b):
    lam_b = np.zeros_like(lam)
    for n in reversed(range(len(z))):
        L, L_new = states[n], states[n + 1]
        sig = lam[: len(L) - n - 1]
        v = np.cumsum(DELTA * sig * L[n + 1 :] / (1 + DELTA * L[n + 1 :]))
        v_b = 0.0
        L_b = L_b.copy()
        for i in reversed(range(n + 1, len(L))):
            m = i - n - 1
            grown_b = L_b[i] * L_new[i]  # of the exponent
            lam_b[m] += grown_b * (v[m] - DELTA * sig[m] + np.sqrt(DELTA) * z[n])
            v_b += grown_b * sig[m]
            d = 1 + DELTA * L[i]
            lam_b[m] += v_b * DELTA * L[i] / d
            L_b[i] = L_b[i] * L_new[i] / L[i] + v_b * DELTA * sig[m] / d**2
    return L_b, lam_b


def portfolio(L, Nmat, swaptions):
    """Discounted payoff of payer swaptions (number of periods, strike) that expire together."""
    B = np.cumprod(1 / (1 + DELTA * L[Nmat:]))
    S = np.cumsum(DELTA * B)
    value = 0.0
    for m, strike in swaptions:
        value += max(100 * (1 - B[m - 1] - strike * S[m - 1]), 0)
    return value / np.prod(1 + DELTA * L[:Nmat])


def portfolio_b(L, Nmat, swaptions):
    """Derivatives of the discounted payoff by the rates."""
    L_b = np.zeros_like(L)
    B = np.cumprod(1 / (1 + DELTA * L[Nmat:]))
    S = np.cumsum(DELTA * B)
    df = 1 / np.prod(1 + DELTA * L[:Nmat])
    B_b = np.zeros_like(B)
    value = 0.0
    for m, strike in swaptions:
        swap = 100 * (1 - B[m - 1] - strike * S[m - 1])
        if swap > 0:
            value += swap
            B_b[m - 1] -= 100 * df
            B_b[:m] -= 100 * strike * DELTA * df
    # B[i] holds all rates from Nmat to Nmat + i
    BB_b = np.cumsum((B_b * B)[::-1])[::-1]
    L_b[Nmat:] = -BB_b * DELTA / (1 + DELTA * L[Nmat:])
    L_b[:Nmat] = -value * df * DELTA / (1 + DELTA * L[:Nmat])
    return L_b


def price(L0, lam, Z, swaptions):
    total = 0.0
    for z in Z:
        total += portfolio(path(L0, lam, z)[-1], len(z), swaptions)
    return total / len(Z)


def greeks(L0, lam, Z, swaptions):
    """Deltas and vegas"""
    delta = np.zeros_like(L0)
    vega = np.zeros_like(lam)
    for z in Z:
        states = path(L0, lam, z)
        L_b = portfolio_b(states[-1], len(z), swaptions)
        L_b, lam_b = path_b(states, lam, z, L_b)
        delta += L_b / len(Z)
        vega += lam_b / len(Z)
    return delta, vega


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(881)
    Nmat, N = 4, 9
    L0 = rng.uniform(0.04, 0.07, N).astype(dtype)
    lam = rng.uniform(0.15, 0.3, N - 1).astype(dtype)
    Z = rng.normal(size=(6, Nmat)).astype(dtype)
    swaptions = [(2, 0.045), (4, 0.04), (5, 0.052)]
    return check_gradient(price, greeks, L0, lam, Z, swaptions, wrt=("L0", "lam"), **options)
