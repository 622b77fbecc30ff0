"""A tagger of words that reads from both sides, trained by backpropagation through time."""

import numpy as np

EDITED = ("BiRNN.bptt",)


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


class BiRNN:
    def __init__(self, word_dim, vec_dim, hidden_dim, tag_dim, rng, dtype=np.float64):
        # Assign instance variables
        self.hidden_dim = hidden_dim
        # Randomly initialize the network parameters
        self.E = rng.normal(0, 0.8, (word_dim, vec_dim)).astype(dtype)
        self.Uf = rng.normal(0, 0.6, (hidden_dim, vec_dim)).astype(dtype)
        self.Wf = rng.normal(0, 0.6, (hidden_dim, hidden_dim)).astype(dtype)
        self.Ub = rng.normal(0, 0.6, (hidden_dim, vec_dim)).astype(dtype)
        self.Wb = rng.normal(0, 0.6, (hidden_dim, hidden_dim)).astype(dtype)
        self.V = rng.normal(0, 0.6, (tag_dim, 2 * hidden_dim)).astype(dtype)
        self.c = rng.normal(0, 0.2, tag_dim).astype(dtype)

    def forward_propagation(self, x):
        # The total number of words
        T = len(x)
        # The last row is the state before the first word, and after the last one
        sf = np.zeros((T + 1, self.hidden_dim))
        sb = np.zeros((T + 1, self.hidden_dim))
        for t in np.arange(T):
            sf[t] = np.tanh(self.Uf.dot(self.E[x[t]]) + self.Wf.dot(sf[t - 1]))
        for t in np.arange(T)[::-1]:
            sb[t] = np.tanh(self.Ub.dot(self.E[x[t]]) + self.Wb.dot(sb[t + 1]))
        o = softmax(np.hstack((sf[:T], sb[:T])).dot(self.V.T) + self.c)
        return o, sf, sb

    def calculate_loss(self, x, y):
        o, _, _ = self.forward_propagation(x)
        return -np.sum(np.log(o[np.arange(len(y)), y])) / len(y)

    def bptt(self, x, y):
        T, H = len(y), self.hidden_dim
        # Perform forward propagation
        o, sf, sb = self.forward_propagation(x)
        # We accumulate the gradients in these variables
        dLdE = np.zeros(self.E.shape)
        dLdUf, dLdWf = np.zeros(self.Uf.shape), np.zeros(self.Wf.shape)
        dLdUb, dLdWb = np.zeros(self.Ub.shape), np.zeros(self.Wb.shape)
        # Output layer
        delta_o = o
        delta_o[np.arange(T), y] -= 1.0
        delta_o /= T
        dLdV = delta_o.T.dot(np.hstack((sf[:T], sb[:T])))
        dLdc = delta_o.sum(axis=0)
        delta_s = delta_o.dot(self.V)
        # States that read from left to right
        delta_next = np.zeros(H)
        for t in np.arange(T)[::-1]:
            delta_t = (delta_s[t, :H] + delta_next) * (1 - sf[t] ** 2)
            dLdUf += np.outer(delta_t, self.E[x[t]])
            dLdWf += np.outer(delta_t, sf[t - 1])
            dLdE[x[t]] += self.Uf.T.dot(delta_t)
            delta_next = self.Wf.T.dot(delta_t)
        # States that read from right to left
        delta_next = np.zeros(H)
        for t in np.arange(T):
            delta_t = (delta_s[t, H:] + delta_next) * (1 - sb[t] ** 2)
            dLdUb += np.outer(delta_t, self.E[x[t]])
            dLdWb += np.outer(delta_t, sb[t + 1])
            dLdE[x[t]] += self.Ub.T.dot(delta_t)
            delta_next = self.Wb.T.dot(delta_t)
        return dLdE, dLdUf, dLdWf, dLdUb, dLdWb, dLdV, dLdc


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(24)
    model = BiRNN(5, 3, 3, 3, rng, dtype)
    x = [0, 3, 1, 3, 4]
    y = [2, 0, 1, 1, 0]
    return check_gradient(
        model.calculate_loss,
        model.bptt,
        x,
        y,
        wrt=("self.E", "self.Uf", "self.Wf", "self.Ub", "self.Wb", "self.V", "self.c"),
        **options,
    )
