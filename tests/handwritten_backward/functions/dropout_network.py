"""A network of a blog: batch normalisation, ReLU, dropout and an L2 penalty, all kept in self."""

import numpy as np

EDITED = ("NeuralNetwork.backward",)


class NeuralNetwork:
    def __init__(self, n_input, n_hidden, keep_prob, l2_lambda, seed, dtype=np.float64):
        self.rng = np.random.default_rng(seed)
        self.keep_prob = keep_prob
        self.l2_lambda = l2_lambda
        self.momentum = 0.9
        self.epsilon = 1e-5

        # weights of the two layers; the first needs no bias, since it is normalized
        self.W1 = self.rng.normal(0, np.sqrt(2 / n_input), (n_input, n_hidden)).astype(dtype)
        self.gamma1 = self.rng.uniform(0.5, 1.5, (1, n_hidden)).astype(dtype)
        self.beta1 = self.rng.uniform(-0.5, 0.5, (1, n_hidden)).astype(dtype)
        self.W2 = self.rng.normal(0, np.sqrt(2 / n_hidden), (n_hidden, 1)).astype(dtype)
        self.b2 = self.rng.uniform(-0.5, 0.5, (1, 1)).astype(dtype)

        # running statistics for the predictions
        self.running_mean1 = np.zeros((1, n_hidden))
        self.running_var1 = np.ones((1, n_hidden))

    def forward(self, X, y):
        m = X.shape[0]

        # hidden layer
        self.Z1 = np.dot(X, self.W1)
        self.mu1 = np.mean(self.Z1, axis=0, keepdims=True)
        self.var1 = np.var(self.Z1, axis=0, keepdims=True)
        self.running_mean1 = self.momentum * self.running_mean1 + (1 - self.momentum) * self.mu1
        self.running_var1 = self.momentum * self.running_var1 + (1 - self.momentum) * self.var1
        self.Z1_hat = (self.Z1 - self.mu1) / np.sqrt(self.var1 + self.epsilon)
        self.Z1_bn = self.gamma1 * self.Z1_hat + self.beta1
        self.A1 = np.maximum(0, self.Z1_bn)

        # inverted dropout
        self.mask1 = self.rng.random(self.A1.shape) < self.keep_prob
        self.A1_drop = self.A1 * self.mask1 / self.keep_prob

        # output layer
        self.Z2 = np.dot(self.A1_drop, self.W2) + self.b2
        self.A2 = 1 / (1 + np.exp(-self.Z2))

        # cross-entropy plus weight decay
        cross_entropy = -np.sum(y * np.log(self.A2) + (1 - y) * np.log(1 - self.A2)) / m
        weight_decay = self.l2_lambda / (2 * m) * (np.sum(self.W1**2) + np.sum(self.W2**2))
        return cross_entropy + weight_decay

    def backward(self, X, y):
        m = X.shape[0]

        # output layer
        dZ2 = (self.A2 - y) / m
        self.dW2 = np.dot(self.A1_drop.T, dZ2) + self.l2_lambda / m * self.W2
        self.db2 = np.sum(dZ2, axis=0, keepdims=True)

        # dropout
        dA1 = np.dot(dZ2, self.W2.T)
        dA1 *= self.mask1
        dA1 /= self.keep_prob

        # ReLU
        dZ1_bn = dA1 * (self.Z1_bn > 0)

        # batch normalization
        self.dgamma1 = np.sum(dZ1_bn * self.Z1_hat, axis=0, keepdims=True)
        self.dbeta1 = np.sum(dZ1_bn, axis=0, keepdims=True)
        dZ1_hat = dZ1_bn * self.gamma1
        Z1_mu = self.Z1 - self.mu1
        std_inv = 1.0 / np.sqrt(self.var1 + self.epsilon)
        dvar1 = np.sum(dZ1_hat * Z1_mu, axis=0, keepdims=True) * -0.5 * std_inv**3
        dmu1 = np.sum(dZ1_hat * -std_inv, axis=0, keepdims=True)
        dmu1 += dvar1 * np.mean(-2.0 * Z1_mu, axis=0, keepdims=True)
        dZ1 = dZ1_hat * std_inv + dvar1 * 2 * Z1_mu / m + dmu1 / m

        # hidden layer
        self.dW1 = np.dot(X.T, dZ1) + self.l2_lambda / m * self.W1


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(21)
    network = NeuralNetwork(3, 5, keep_prob=0.7, l2_lambda=0.1, seed=9, dtype=dtype)
    X = rng.normal(size=(6, 3)).astype(dtype)
    y = np.array([[1], [0], [1], [1], [0], [0]])
    return check_gradient(
        network.forward,
        network.backward,
        X,
        y,
        wrt=("self.W1", "self.gamma1", "self.beta1", "self.W2", "self.b2"),
        **options,
    )
