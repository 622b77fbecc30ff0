"""AC power flow by Newton's method, and the sensitivities of a cost by one adjoint solve."""

import numpy as np

EDITED = ("sensitivities",)


def make_ybus(case, g, b):
    f, t = case["branch"].T
    nb = case["nb"]
    y = g + 1j * b
    Ybus = np.zeros((nb, nb), dtype=y.dtype)
    np.add.at(Ybus, (f, f), y + 0.5j * case["charging"])
    np.add.at(Ybus, (t, t), y + 0.5j * case["charging"])
    np.add.at(Ybus, (f, t), -y)
    np.add.at(Ybus, (t, f), -y)
    return Ybus


def dSbus_dV(Ybus, V):
    """Partial derivatives of the complex injections by the angles and the magnitudes."""
    Ibus = Ybus @ V
    Vnorm = V / np.abs(V)
    dS_dVm = np.diag(V) @ np.conj(Ybus @ np.diag(Vnorm)) + np.diag(np.conj(Ibus) * Vnorm)
    dS_dVa = 1j * np.diag(V) @ np.conj(np.diag(Ibus) - Ybus @ np.diag(V))
    return dS_dVa, dS_dVm


def jacobian(case, Ybus, V):
    pq, pvpq = case["pq"], np.r_[case["pv"], case["pq"]]
    dS_dVa, dS_dVm = dSbus_dV(Ybus, V)
    return np.block(
        [
            [dS_dVa[np.ix_(pvpq, pvpq)].real, dS_dVm[np.ix_(pvpq, pq)].real],
            [dS_dVa[np.ix_(pq, pvpq)].imag, dS_dVm[np.ix_(pq, pq)].imag],
        ]
    )


def newtonpf(case, Ybus, Pd, Qd, Vset):
    pq, pvpq = case["pq"], np.r_[case["pv"], case["pq"]]
    Va, Vm = np.zeros_like(Vset), Vset.copy()
    Vm[pq] = 1
    for _ in range(7):
        V = Vm * np.exp(1j * Va)
        gap = V * np.conj(Ybus @ V) + Pd + 1j * Qd
        F = np.r_[gap[pvpq].real, gap[pq].imag]
        dx = np.linalg.solve(jacobian(case, Ybus, V), -F)
        Va[pvpq] += dx[: len(pvpq)]
        Vm[pq] += dx[len(pvpq) :]
    return Vm * np.exp(1j * Va)


def cost(case, Pd, Qd, Vset, g, b):
    """Quadratic cost of the power at the slack bus, and a penalty on voltages off 1 p.u."""
    Ybus = make_ybus(case, g, b)
    V = newtonpf(case, Ybus, Pd, Qd, Vset)
    s = case["ref"]
    Pg = (V[s] * np.conj(Ybus[s] @ V)).real + Pd[s]
    dev = np.abs(V[case["pq"]]) - 1
    return case["c1"] * Pg + case["c2"] * Pg**2 + case["penalty"] * np.sum(dev**2)


def sensitivities(case, Pd, Qd, Vset, g, b):
    pq, pv, s = case["pq"], case["pv"], case["ref"]
    pvpq = np.r_[pv, pq]
    f, t = case["branch"].T
    Ybus = make_ybus(case, g, b)
    V = newtonpf(case, Ybus, Pd, Qd, Vset)
    Pg = (V[s] * np.conj(Ybus[s] @ V)).real + Pd[s]
    dS_dVa, dS_dVm = dSbus_dV(Ybus, V)

    # cost by state and by controlled voltages
    mu = case["c1"] + 2 * case["c2"] * Pg
    fa = mu * dS_dVa[s].real
    fm = mu * dS_dVm[s].real
    fm[pq] += 2 * case["penalty"] * (np.abs(V[pq]) - 1)

    # adjoint
    J = jacobian(case, Ybus, V)
    lam = np.linalg.solve(J.T, -np.r_[fa[pvpq], fm[pq]])
    lamP, lamQ = np.zeros_like(Pd), np.zeros_like(Qd)
    lamP[pvpq] = lam[: len(pvpq)]
    lamP[s] = mu
    lamQ[pq] = lam[len(pvpq) :]

    dVm = fm + dS_dVm[pvpq].real.T @ lamP[pvpq] + dS_dVm[pq].imag.T @ lamQ[pq]
    dVset = np.zeros_like(Vset)
    dVset[np.r_[s, pv]] = dVm[np.r_[s, pv]]

    # a branch takes V conj(y dV) from the bus at either end
    Sf = V[f] * np.conj(V[f] - V[t])
    St = V[t] * np.conj(V[t] - V[f])
    dg = lamP[f] * Sf.real + lamP[t] * St.real + lamQ[f] * Sf.imag + lamQ[t] * St.imag
    db = lamP[f] * Sf.imag + lamP[t] * St.imag - lamQ[f] * Sf.real - lamQ[t] * St.real
    return {"Pd": lamP, "Qd": lamQ, "Vset": dVset, "g": dg, "b": db}


def check(check_gradient, dtype=np.float64, **options):
    case = {"nb": 5, "ref": 0, "pv": np.array([1]), "pq": np.array([2, 3, 4])}
    case["branch"] = np.array([[0, 1], [0, 2], [1, 2], [1, 3], [2, 3], [3, 4]])
    case["charging"] = np.array([0.06, 0.05, 0.04, 0.04, 0.03, 0.02], dtype=dtype)
    case.update(c1=1.5, c2=0.8, penalty=20.0)
    Pd = np.array([0.1, -0.5, 0.45, 0.4, 0.3], dtype=dtype)
    Qd = np.array([0.0, 0.1, 0.15, 0.1, 0.12], dtype=dtype)
    Vset = np.array([1.05, 1.02, 1, 1, 1], dtype=dtype)
    g = np.array([2.0, 1.3, 1.6, 1.4, 1.1, 2.2], dtype=dtype)
    b = np.array([-6.0, -4.1, -5.2, -4.4, -3.5, -6.8], dtype=dtype)
    wrt = ("Pd", "Qd", "Vset", "g", "b")
    return check_gradient(cost, sensitivities, case, Pd, Qd, Vset, g, b, wrt=wrt, **options)
