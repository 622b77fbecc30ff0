"""The likelihood of a Kalman filter, and its reverse sweep with the adjoints called ..._bar."""

import numpy as np

EDITED = ("filter_adjoint",)


def filter_loglik(F, Q, r, m0, P0, H, ys):
    """Negative log-likelihood of the observations ys, without its constant."""
    m, P = m0, P0
    nll = 0.0
    tape = []
    for y in ys:
        # predict
        m_pred = F @ m
        P_pred = F @ P @ F.T + Q
        # innovation
        v = y - H @ m_pred
        S = H @ P_pred @ H + r
        K = P_pred @ H / S
        tape.append((m, P, P_pred, v, S, K))
        # update
        m = m_pred + K * v
        P = P_pred - np.outer(K, K) * S
        nll += 0.5 * (np.log(S) + v**2 / S)
    return nll, tape


def filter_adjoint(F, Q, r, m0, P0, H, cache):
    F_bar = np.zeros_like(F)
    Q_bar = np.zeros_like(Q)
    r_bar = 0.0
    m_bar = np.zeros_like(m0)
    P_bar = np.zeros_like(P0)

    for m, P, P_pred, v, S, K in reversed(cache):
        # likelihood
        S_bar = 0.5 * (1 / S - v**2 / S**2)
        v_bar = v / S

        # update of the covariance
        P_pred_bar = P_bar.copy()
        K_bar = -S * (P_bar + P_bar.T) @ K
        S_bar -= K @ P_bar @ K

        # update of the mean
        m_pred_bar = m_bar.copy()
        K_bar += m_bar * v
        v_bar += m_bar @ K

        # gain
        P_pred_bar += np.outer(K_bar, H) / S
        S_bar -= K_bar @ K / S

        # innovation
        P_pred_bar += S_bar * np.outer(H, H)
        r_bar += S_bar
        m_pred_bar -= v_bar * H

        # prediction
        F_bar += P_pred_bar @ F @ P.T + P_pred_bar.T @ F @ P
        F_bar += np.outer(m_pred_bar, m)
        Q_bar += P_pred_bar
        P_bar = F.T @ P_pred_bar @ F
        m_bar = F.T @ m_pred_bar

    return F_bar, Q_bar, r_bar, m_bar, P_bar


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(17)
    F = np.array([[0.9, 0.3], [-0.2, 0.8]], dtype=dtype)
    Q = np.array([[0.3, 0.1], [0.1, 0.2]], dtype=dtype)
    m0 = np.array([0.5, -0.3], dtype=dtype)
    P0 = np.array([[1.0, 0.2], [0.2, 0.7]], dtype=dtype)
    H = np.array([1.0, 0.4], dtype=dtype)
    ys = rng.normal(size=6).astype(dtype)
    return check_gradient(
        filter_loglik,
        filter_adjoint,
        F,
        Q,
        0.5,
        m0,
        P0,
        H,
        ys,
        wrt=("F", "Q", "r", "m0", "P0"),
        has_cache=True,
        **options,
    )
