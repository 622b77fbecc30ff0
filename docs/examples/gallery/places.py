"""Wrong in several places: words that occur twice are added once."""

import numpy as np

rng = np.random.default_rng(0)
words = np.concatenate([np.arange(50), rng.choice(50, 8, replace=False)])
table, weights = rng.normal(size=(100, 64)), rng.normal(size=(58, 64))


def score(table):
    return np.sum(np.sin(table[words]) * weights)


def score_gradient(table):
    dtable = np.zeros_like(table)
    dtable[words] += np.cos(table[words]) * weights
    # fix: np.add.at(dtable, words, np.cos(table[words]) * weights)
    return dtable


def test_score(gradcheck):
    gradcheck(score, score_gradient, table, mode="fast")
