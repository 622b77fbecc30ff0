"""CTC for a padded batch of utterances, with scaled forward and backward variables."""

import numpy as np

EDITED = ("ctc_loss",)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def ctc_loss(logits, input_lengths, targets, blank=0):
    """
    CTC loss, a mean over utterances of what each costs by label, and its gradient.

    logits: (batch, frames, symbols), before the softmax
    input_lengths: frames of each utterance that are no padding
    targets: labels of each utterance, without blanks
    """
    batch_size = len(targets)
    loss = 0.0
    grad = np.zeros_like(logits)

    for b in range(batch_size):
        T = input_lengths[b]
        label = targets[b]
        y = softmax(logits[b, :T])

        # blanks around and between the labels
        S = 2 * len(label) + 1
        ext = np.full(S, blank)
        ext[1::2] = label
        can_skip = np.zeros(S, dtype=bool)
        can_skip[2:] = (ext[2:] != blank) & (ext[2:] != ext[:-2])

        alpha = np.zeros((T, S), dtype=y.dtype)
        scale = np.zeros(T, dtype=y.dtype)
        alpha[0, :2] = y[0, ext[:2]]
        for t in range(T):
            if t > 0:
                for s in range(S):
                    total = alpha[t - 1, s]
                    if s > 0:
                        total += alpha[t - 1, s - 1]
                    if can_skip[s]:
                        total += alpha[t - 1, s - 2]
                    alpha[t, s] = total * y[t, ext[s]]
            scale[t] = alpha[t].sum()
            alpha[t] /= scale[t]
        p_end = alpha[T - 1, S - 1] + alpha[T - 1, S - 2]
        loss -= (np.log(scale).sum() + np.log(p_end)) / len(label)

        # backward variables: beta[t, s] is what comes after frame t
        beta = np.zeros((T, S), dtype=y.dtype)
        beta[T - 1, S - 2 :] = 1 / p_end
        for t in range(T - 2, -1, -1):
            after = beta[t + 1] * y[t + 1, ext] / scale[t + 1]
            for s in range(S):
                beta[t, s] = after[s]
                if s + 1 < S:
                    beta[t, s] += after[s + 1]
                if s + 2 < S and can_skip[s + 2]:
                    beta[t, s] += after[s + 2]

        # posterior of each symbol at each frame
        gamma = alpha * beta
        occupied = np.zeros_like(y)
        for s in range(S):
            occupied[:, ext[s]] += gamma[:, s]
        grad[b, :T] = (y - occupied) / len(label)

    return loss / batch_size, grad / batch_size


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(65)
    logits = rng.normal(size=(3, 6, 4)).astype(dtype)
    targets = [[1, 2], [3, 3], [2, 1, 3]]
    return check_gradient(ctc_loss, True, logits, [5, 6, 6], targets, wrt="logits", **options)
