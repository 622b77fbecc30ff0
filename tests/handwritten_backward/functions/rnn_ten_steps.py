"""A vanilla RNN over ten characters: one function, with the states in dicts by time."""

import numpy as np

EDITED = ("loss_fun",)


def loss_fun(inputs, targets, hprev, Wxh, Whh, Why, bh, by):
    """
    inputs, targets are both lists of integers.
    hprev is an array with the initial hidden state.
    Returns the loss and the gradients on the model parameters.
    """
    vocab_size = Wxh.shape[1]
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    # forward pass
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))  # encode in 1-of-k representation
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)  # hidden state
        ys[t] = np.dot(Why, hs[t]) + by  # unnormalized log probabilities for next chars
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))  # probabilities for next chars
        loss += -np.log(ps[t][targets[t], 0])  # softmax (cross-entropy loss)
    # backward pass: compute gradients going backwards
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1  # backprop into y
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext  # backprop into h
        dhraw = (1 - hs[t] * hs[t]) * dh  # backprop through tanh nonlinearity
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return loss, (dhnext, dWxh, dWhh, dWhy, dbh, dby)


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(13)
    vocab_size, hidden_size = 5, 4
    text = [0, 3, 1, 4, 2, 2, 0, 1, 3, 4, 0]
    hprev = rng.normal(size=(hidden_size, 1)).astype(dtype)
    Wxh = (0.7 * rng.normal(size=(hidden_size, vocab_size))).astype(dtype)
    Whh = (0.7 * rng.normal(size=(hidden_size, hidden_size))).astype(dtype)
    Why = (0.7 * rng.normal(size=(vocab_size, hidden_size))).astype(dtype)
    bh = (0.2 * rng.normal(size=(hidden_size, 1))).astype(dtype)
    by = (0.2 * rng.normal(size=(vocab_size, 1))).astype(dtype)
    return check_gradient(
        loss_fun,
        True,
        text[:-1],
        text[1:],
        hprev,
        Wxh,
        Whh,
        Why,
        bh,
        by,
        wrt=("hprev", "Wxh", "Whh", "Why", "bh", "by"),
        **options,
    )
