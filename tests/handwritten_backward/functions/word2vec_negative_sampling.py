"""Skip-gram with negative sampling: loops over a sentence and its windows, rows added up."""

import numpy as np

EDITED = ("skipgram",)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def get_window(position, length, window_size):
    """Positions of the context words around a position."""
    left = max(0, position - window_size)
    right = min(length, position + window_size + 1)
    return [j for j in range(left, right) if j != position]


def skipgram(centerVecs, outsideVecs, sentence, negSamples, windowSize):
    """Skip-gram model with the negative sampling loss for one sentence.

    Arguments:
    centerVecs -- (V, D) vectors of the words as center words
    outsideVecs -- (V, D) vectors of the words as outside words
    sentence -- indices of the words
    negSamples -- (len(sentence), K) indices of the negative samples for each center word; the
                  same word may be drawn several times
    windowSize -- how many words to the left and to the right

    Return:
    loss -- mean over all pairs of words
    gradCenterVecs, gradOutsideVecs -- gradients, of the shape of the vectors
    """
    loss = 0.0
    pairs = []
    for i, c in enumerate(sentence):
        v_c = centerVecs[c]
        neg = negSamples[i]
        sig_neg = sigmoid(-outsideVecs[neg] @ v_c)
        for j in get_window(i, len(sentence), windowSize):
            o = sentence[j]
            sig_o = sigmoid(np.dot(outsideVecs[o], v_c))
            loss -= np.log(sig_o) + np.sum(np.log(sig_neg))
            pairs.append((c, o, neg, sig_o, sig_neg))
    loss /= len(pairs)

    # Backward pass over the same pairs
    gradCenterVecs = np.zeros_like(centerVecs)
    gradOutsideVecs = np.zeros_like(outsideVecs)
    for c, o, neg, sig_o, sig_neg in pairs:
        v_c = centerVecs[c]
        u_o = outsideVecs[o]
        u_neg = outsideVecs[neg]

        delta_o = sig_o - 1
        delta_neg = 1 - sig_neg

        grad_v = delta_o * u_o
        grad_v += np.dot(delta_neg, u_neg)
        gradCenterVecs[c] += grad_v
        gradOutsideVecs[o] += delta_o * v_c
        np.add.at(gradOutsideVecs, neg, np.outer(delta_neg, v_c))

    gradCenterVecs /= len(pairs)
    gradOutsideVecs /= len(pairs)
    return loss, gradCenterVecs, gradOutsideVecs


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(35)
    centerVecs = rng.normal(size=(6, 3)).astype(dtype)
    outsideVecs = rng.normal(size=(6, 3)).astype(dtype)
    sentence = [0, 3, 1, 4, 3, 5, 2]
    negSamples = np.array(
        [[2, 5, 2], [0, 0, 5], [4, 2, 3], [1, 1, 1], [5, 0, 2], [3, 4, 1], [0, 4, 4]]
    )
    return check_gradient(
        skipgram,
        True,
        centerVecs,
        outsideVecs,
        sentence,
        negSamples,
        2,
        wrt=("centerVecs", "outsideVecs"),
        **options,
    )
