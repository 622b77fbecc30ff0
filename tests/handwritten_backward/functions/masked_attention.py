"""Causal self-attention with heads, and the loss of a language model's last layer on top."""

import numpy as np

EDITED = ("softmax_backward", "attention_backward")


def softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(grad, probs):
    inner = (grad * probs).sum(axis=-1, keepdims=True)
    return probs * (grad - inner)


def split_heads(x, n_head):
    B, T, C = x.shape
    return x.reshape(B, T, n_head, C // n_head).transpose(0, 2, 1, 3)


def merge_heads(x):
    B, n_head, T, hs = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, T, n_head * hs)


def attention_forward(x, w_qkv, w_out, n_head):
    B, T, C = x.shape
    qkv = x @ w_qkv
    q, k, v = (split_heads(part, n_head) for part in np.split(qkv, 3, axis=-1))

    scale = 1.0 / np.sqrt(C // n_head)
    scores = (q @ k.transpose(0, 1, 3, 2)) * scale
    mask = np.triu(np.ones((T, T), dtype=bool), k=1)
    masked = np.where(mask, -1e9, scores)
    att = softmax(masked)
    heads = att @ v
    y = merge_heads(heads)
    out = y @ w_out

    cache = {
        "x": x,
        "w_qkv": w_qkv,
        "w_out": w_out,
        "n_head": n_head,
        "q": q,
        "k": k,
        "v": v,
        "scale": scale,
        "mask": mask,
        "att": att,
        "y": y,
    }
    return out, cache


def attention_backward(grad_out, cache):
    c = cache
    B, T, C = grad_out.shape

    # output projection
    grad_w_out = c["y"].reshape(-1, C).T @ grad_out.reshape(-1, C)
    grad_y = grad_out @ c["w_out"].T
    grad_heads = split_heads(grad_y, c["n_head"])

    # weighted sum of the values
    grad_att = grad_heads @ c["v"].transpose(0, 1, 3, 2)
    grad_v = c["att"].transpose(0, 1, 3, 2) @ grad_heads

    # softmax, mask and scale
    grad_scores = softmax_backward(grad_att, c["att"])
    grad_scores = np.where(c["mask"], 0, grad_scores)
    grad_scores = grad_scores * c["scale"]

    # queries and keys
    grad_q = grad_scores @ c["k"]
    grad_k = grad_scores.transpose(0, 1, 3, 2) @ c["q"]

    # input projection
    grad_qkv = np.concatenate([merge_heads(g) for g in (grad_q, grad_k, grad_v)], axis=-1)
    grad_w_qkv = c["x"].reshape(-1, C).T @ grad_qkv.reshape(-1, 3 * C)
    grad_x = grad_qkv @ c["w_qkv"].T

    return {"grad_x": grad_x, "grad_w_qkv": grad_w_qkv, "grad_w_out": grad_w_out}


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(14)
    B, T, C = 2, 4, 4
    x = rng.normal(size=(B, T, C)).astype(dtype)
    w_qkv = (0.7 * rng.normal(size=(C, 3 * C))).astype(dtype)
    w_out = (0.7 * rng.normal(size=(C, C))).astype(dtype)
    return check_gradient(
        attention_forward,
        attention_backward,
        x,
        w_qkv,
        w_out,
        2,
        wrt=("x", "w_qkv", "w_out"),
        has_cache=True,
        **options,
    )
