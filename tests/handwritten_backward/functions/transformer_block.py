"""A pre-norm transformer block with two causal heads: functions that hand on dicts of caches."""

import numpy as np

EDITED = (
    "layernorm_backward",
    "gelu_backward",
    "attention_backward",
    "mlp_backward",
    "block_backward",
)


def layernorm(x, g, b, eps=1e-5):
    mu = x.mean(-1, keepdims=True)
    xc = x - mu
    rstd = 1.0 / np.sqrt((xc**2).mean(-1, keepdims=True) + eps)
    norm = xc * rstd
    return norm * g + b, {"norm": norm, "rstd": rstd, "g": g}


def layernorm_backward(dout, cache):
    norm, rstd = cache["norm"], cache["rstd"]
    dg = (dout * norm).sum((0, 1))
    db = dout.sum((0, 1))
    dnorm = dout * cache["g"]
    # backprop through the mean and the variance at once
    dx = dnorm - dnorm.mean(-1, keepdims=True) - norm * (dnorm * norm).mean(-1, keepdims=True)
    dx *= rstd
    return dx, dg, db


def gelu(x):
    # the approximation by a sigmoid
    return x / (1.0 + np.exp(-1.702 * x))


def gelu_backward(dout, x):
    sig = 1.0 / (1.0 + np.exp(-1.702 * x))
    return dout * (sig + 1.702 * x * sig * (1.0 - sig))


def split_heads(x, n_head):
    B, T, C = x.shape
    return x.reshape(B, T, n_head, C // n_head).transpose(0, 2, 1, 3)


def merge_heads(x):
    B, H, T, D = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, T, H * D)


def attention(x, w_qkv, w_proj, n_head):
    T, C = x.shape[1:]
    q, k, v = (split_heads(a, n_head) for a in np.split(x @ w_qkv, 3, axis=-1))
    scale = 1.0 / (C // n_head) ** 0.5
    preatt = q @ k.transpose(0, 1, 3, 2) * scale
    preatt = np.where(np.tril(np.ones((T, T), dtype=bool)), preatt, -np.inf)
    att = np.exp(preatt - preatt.max(-1, keepdims=True))
    att /= att.sum(-1, keepdims=True)
    y = merge_heads(att @ v)
    cache = {"x": x, "q": q, "k": k, "v": v, "att": att, "y": y, "scale": scale}
    cache.update(w_qkv=w_qkv, w_proj=w_proj, n_head=n_head)
    return y @ w_proj, cache


def attention_backward(dout, cache):
    q, k, v, att = (cache[name] for name in ("q", "k", "v", "att"))
    scale, x = cache["scale"], cache["x"]

    # output projection
    dw_proj = np.einsum("btc,btd->cd", cache["y"], dout)
    dy = split_heads(dout @ cache["w_proj"].T, cache["n_head"])

    # weighted sum of the values
    datt = dy @ v.transpose(0, 1, 3, 2)
    dv = att.transpose(0, 1, 3, 2) @ dy

    # softmax; the masked scores have att == 0
    dpreatt = att * (datt - (datt * att).sum(-1, keepdims=True))

    # scores
    dq = dpreatt @ k * scale
    dk = dpreatt.transpose(0, 1, 3, 2) @ q * scale

    # input projection
    dqkv = np.concatenate([merge_heads(dq), merge_heads(dk), merge_heads(dv)], axis=-1)
    dw_qkv = np.einsum("btc,btd->cd", x, dqkv)
    dx = dqkv @ cache["w_qkv"].T
    return dx, dw_qkv, dw_proj


def mlp(x, w_fc, b_fc, w_out, b_out):
    fch = x @ w_fc + b_fc
    act = gelu(fch)
    return act @ w_out + b_out, (x, fch, act, w_fc, w_out)


def mlp_backward(dout, cache):
    x, fch, act, w_fc, w_out = cache
    dw_out = np.tensordot(act, dout, axes=([0, 1], [0, 1]))
    db_out = dout.sum((0, 1))
    dact = dout @ w_out.T
    dfch = gelu_backward(dact, fch)
    dw_fc = np.tensordot(x, dfch, axes=([0, 1], [0, 1]))
    db_fc = dfch.sum((0, 1))
    dx = dfch @ w_fc.T
    return dx, dw_fc, db_fc, dw_out, db_out


def block(x, p, n_head):
    ln1, ln1_cache = layernorm(x, p["ln1_g"], p["ln1_b"])
    att, att_cache = attention(ln1, p["w_qkv"], p["w_proj"], n_head)
    res = x + att
    ln2, ln2_cache = layernorm(res, p["ln2_g"], p["ln2_b"])
    ff, mlp_cache = mlp(ln2, p["w_fc"], p["b_fc"], p["w_out"], p["b_out"])
    out = res + ff
    return out, {"ln1": ln1_cache, "att": att_cache, "ln2": ln2_cache, "mlp": mlp_cache}


def block_backward(dout, caches):
    grads = {}

    # second residual: the gradient flows to the mlp and past it
    dln2, dw_fc, db_fc, dw_out, db_out = mlp_backward(dout, caches["mlp"])
    grads.update(w_fc=dw_fc, b_fc=db_fc, w_out=dw_out, b_out=db_out)
    dres, grads["ln2_g"], grads["ln2_b"] = layernorm_backward(dln2, caches["ln2"])
    dres += dout

    # first residual
    dln1, grads["w_qkv"], grads["w_proj"] = attention_backward(dres, caches["att"])
    dx, grads["ln1_g"], grads["ln1_b"] = layernorm_backward(dln1, caches["ln1"])
    dx += dres

    return dx, grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(32)
    B, T, C, hidden = 2, 3, 4, 5
    shapes = {
        "ln1_g": (C,),
        "ln1_b": (C,),
        "w_qkv": (C, 3 * C),
        "w_proj": (C, C),
        "ln2_g": (C,),
        "ln2_b": (C,),
        "w_fc": (C, hidden),
        "b_fc": (hidden,),
        "w_out": (hidden, C),
        "b_out": (C,),
    }
    p = {name: rng.normal(0, 0.6, shape).astype(dtype) for name, shape in shapes.items()}
    p["ln1_g"] += 1
    p["ln2_g"] += 1
    x = rng.normal(size=(B, T, C)).astype(dtype)
    return check_gradient(block, block_backward, x, p, 2, wrt=("x", "p"), **options)
