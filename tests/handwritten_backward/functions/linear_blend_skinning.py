"""Skinning of a character: bones turned by quaternions, blended, and a pullback as a closure."""

import numpy as np

EDITED = ("quats_to_mats", "forward_kinematics", "blend", "skin")


def quats_to_mats(q):
    """Rotation matrices of quaternions (w, x, y, z) of any length, and the way back."""
    norm = np.sqrt(np.sum(q * q, axis=1, keepdims=True))
    u = q / norm
    w, v = u[:, 0], u[:, 1:]
    skew = np.zeros((len(q), 3, 3), dtype=q.dtype)
    skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0] = v.T
    skew -= skew.transpose(0, 2, 1)
    R = np.eye(3, dtype=q.dtype) + 2 * w[:, None, None] * skew + 2 * skew @ skew

    # backward
    def pullback(dR):
        dw = 2 * np.einsum("jab,jab->j", dR, skew)
        St = skew.transpose(0, 2, 1)
        dskew = 2 * w[:, None, None] * dR + 2 * (dR @ St + St @ dR)
        dskew = dskew - dskew.transpose(0, 2, 1)
        du = np.column_stack([dw, dskew[:, 2, 1], dskew[:, 0, 2], dskew[:, 1, 0]])
        return (du - u * np.sum(u * du, axis=1, keepdims=True)) / norm

    return R, pullback


def forward_kinematics(R, offsets, parents):
    """Rotations and places of the joints in the world, a parent comes before its children."""
    G = np.empty_like(R)
    p = np.empty_like(offsets)
    for j, parent in enumerate(parents):
        if parent < 0:
            G[j], p[j] = R[j], offsets[j]
        else:
            G[j] = G[parent] @ R[j]
            p[j] = p[parent] + G[parent] @ offsets[j]

    # backward
    def pullback(dG, dp):
        dG, dp = dG.copy(), dp.copy()
        dR = np.zeros_like(R)
        doffsets = np.zeros_like(offsets)
        for j, parent in reversed(list(enumerate(parents))):
            if parent < 0:
                dR[j], doffsets[j] = dG[j], dp[j]
                continue
            dR[j] = G[parent].T @ dG[j]
            dG[parent] += dG[j] @ R[j].T
            dp[parent] += dp[j]
            dG[parent] += np.outer(dp[j], offsets[j])
            doffsets[j] = G[parent].T @ dp[j]
        return dR, doffsets

    return G, p, pullback


def blend(G, p, bind, verts, logits):
    """Vertices follow the bones from the pose where the joints were at bind."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    weights = e / e.sum(axis=1, keepdims=True)
    local = verts[:, None] - bind
    posed = np.einsum("jab,vjb->vja", G, local) + p
    out = np.einsum("vj,vja->va", weights, posed)

    # backward
    def pullback(dout):
        dweights = np.einsum("va,vja->vj", dout, posed)
        mean = np.sum(dweights * weights, axis=1, keepdims=True)
        dlogits = weights * (dweights - mean)
        dposed = weights[:, :, None] * dout[:, None]
        dG = np.einsum("vja,vjb->jab", dposed, local)
        dp = dposed.sum(axis=0)
        dlocal = np.einsum("jab,vja->vjb", G, dposed)
        return dG, dp, dlocal.sum(axis=1), dlogits

    return out, pullback


def skin(quats, offsets, verts, logits, bind, parents):
    R, rotations_back = quats_to_mats(quats)
    G, p, kinematics_back = forward_kinematics(R, offsets, parents)
    out, blend_back = blend(G, p, bind, verts, logits)

    # backward
    def pullback(dout):
        dG, dp, dverts, dlogits = blend_back(dout)
        dR, doffsets = kinematics_back(dG, dp)
        return rotations_back(dR), doffsets, dverts, dlogits

    return out, pullback


def skin_backward(dout, cache):
    return cache(dout)  # the pullback


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(105)
    parents = [-1, 0, 1, 1, 3]
    quats = rng.normal(size=(5, 4)).astype(dtype)
    offsets = rng.normal(0, 0.7, (5, 3)).astype(dtype)
    verts = rng.normal(size=(6, 3)).astype(dtype)
    logits = rng.normal(size=(6, 5)).astype(dtype)
    bind = rng.normal(0, 0.7, (5, 3)).astype(dtype)
    args = (quats, offsets, verts, logits, bind, parents)
    options.update(wrt=("quats", "offsets", "verts", "logits"), has_cache=True)
    return check_gradient(skin, skin_backward, *args, **options)
