"""An end-to-end memory network that answers questions on stories, with hops that share weights."""

import numpy as np

EDITED = ("bag_of_words_grad", "attend_grad", "memn2n_grads")


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def position_encoding(sentence_len, dim):
    """Weights by the place of a word, section 4.1 of the paper"""
    j = np.arange(1, sentence_len + 1)[:, None] / sentence_len
    k = np.arange(1, dim + 1)[None, :] / dim
    return (1 - j) - k * (1 - 2 * j)


def bag_of_words(E, words, pe):
    """words (..., sentence_len) -> (..., dim)"""
    return np.sum(E[words] * pe, axis=-2)


def bag_of_words_grad(d_out, E, words, pe):
    dE = np.zeros_like(E)
    d_words = d_out[..., None, :] * pe
    np.add.at(dE, words, d_words)
    return dE


def attend(u, mem, out):
    """u (batch, dim) looks into mem and reads from out, both (batch, slots, dim)"""
    p = softmax(np.einsum("bmd,bd->bm", mem, u))
    return np.einsum("bm,bmd->bd", p, out), p


def attend_grad(do, p, u, mem, out):
    d_out = p[:, :, None] * do[:, None, :]
    dp = np.einsum("bmd,bd->bm", out, do)
    ds = p * (dp - np.sum(p * dp, axis=1, keepdims=True))
    d_mem = ds[:, :, None] * u[:, None, :]
    du = np.einsum("bm,bmd->bd", ds, mem)
    return du, d_mem, d_out


def memn2n_loss(params, stories, questions, answers, pe, n_hops):
    mem = bag_of_words(params["A"], stories, pe) + params["TA"]
    out = bag_of_words(params["C"], stories, pe) + params["TC"]
    u = bag_of_words(params["B"], questions, pe)
    us, ps = [u], []
    for _ in range(n_hops):
        o, p = attend(u, mem, out)
        u = u @ params["H"] + o
        us.append(u)
        ps.append(p)
    y = softmax(u @ params["W"])
    loss = -np.sum(np.log(y[np.arange(len(answers)), answers])) / len(answers)
    return loss, (mem, out, us, ps, y)


def memn2n_grads(params, stories, questions, answers, pe, n_hops, cache):
    mem, out, us, ps, y = cache
    grads = {}

    dy = y.copy()
    dy[np.arange(len(answers)), answers] -= 1
    dy /= len(answers)
    grads["W"] = us[-1].T @ dy
    du = dy @ params["W"].T

    # hops, backwards; the memories are the same in all of them
    grads["H"] = np.zeros_like(params["H"])
    d_mem, d_out = np.zeros_like(mem), np.zeros_like(out)
    for hop in range(n_hops - 1, -1, -1):
        u = us[hop]
        du_attend, dm, dc = attend_grad(du, ps[hop], u, mem, out)
        grads["H"] += u.T @ du
        d_mem += dm
        d_out += dc
        du = du @ params["H"].T + du_attend

    grads["B"] = bag_of_words_grad(du, params["B"], questions, pe)
    grads["A"] = bag_of_words_grad(d_mem, params["A"], stories, pe)
    grads["C"] = bag_of_words_grad(d_out, params["C"], stories, pe)
    grads["TA"] = d_mem.sum(axis=0)
    grads["TC"] = d_out.sum(axis=0)
    return grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(78)
    batch, slots, length, vocab, dim, n_hops = 3, 3, 4, 6, 4, 3
    shapes = {"A": (vocab, dim), "B": (vocab, dim), "C": (vocab, dim), "H": (dim, dim)}
    shapes |= {"W": (dim, vocab), "TA": (slots, dim), "TC": (slots, dim)}
    params = {name: rng.normal(0, 0.7, shape).astype(dtype) for name, shape in shapes.items()}
    stories = rng.integers(0, vocab, (batch, slots, length))
    questions = rng.integers(0, vocab, (batch, length))
    answers = np.array([4, 1, 5])
    pe = position_encoding(length, dim).astype(dtype)
    return check_gradient(
        memn2n_loss,
        memn2n_grads,
        params,
        stories,
        questions,
        answers,
        pe,
        n_hops,
        wrt="params",
        **options,
    )
