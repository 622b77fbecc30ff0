"""LeNet from scratch: convolution, average pooling and dense layers as classes, with loops."""

import numpy as np

EDITED = (
    "Conv2D.backward",
    "Tanh.backward",
    "AvgPool2D.backward",
    "Dense.backward",
    "LeNet.backward",
)


class Conv2D:
    def __init__(self, W, b):
        self.W, self.b = W, b  # (filters, channels, k, k) and (filters,)

    def forward(self, x):
        F, _, k, _ = self.W.shape
        N, _, H, width = x.shape
        out = np.zeros((N, F, H - k + 1, width - k + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                window = x[:, :, i : i + k, j : j + k]
                out[:, :, i, j] = np.tensordot(window, self.W, axes=([1, 2, 3], [1, 2, 3]))
        self.x = x
        return out + self.b[None, :, None, None]

    def backward(self, dout):
        k = self.W.shape[2]
        dx = np.zeros_like(self.x)
        self.dW = np.zeros_like(self.W)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                d = dout[:, :, i, j]
                window = self.x[:, :, i : i + k, j : j + k]
                self.dW += np.tensordot(d, window, axes=([0], [0]))
                dx[:, :, i : i + k, j : j + k] += np.tensordot(d, self.W, axes=([1], [0]))
        self.db = np.sum(dout, axis=(0, 2, 3))
        return dx


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class AvgPool2D:
    def __init__(self, size):
        self.size = size

    def forward(self, x):
        self.x_shape = x.shape
        N, C, H, W = x.shape
        s = self.size
        return x.reshape(N, C, H // s, s, W // s, s).mean(axis=(3, 5))

    def backward(self, dout):
        s = self.size
        dx = np.zeros(self.x_shape)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                average = dout[:, :, i, j] / (s * s)
                dx[:, :, i * s : (i + 1) * s, j * s : (j + 1) * s] = average[:, :, None, None]
        return dx


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x_shape = x.shape
        self.x = x.reshape(x.shape[0], -1)
        return np.dot(self.x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T).reshape(self.x_shape)


class LeNet:
    """conv - tanh - pool - conv - tanh - dense - softmax"""

    def __init__(self, init):
        self.C1 = Conv2D(init(2, 1, 3, 3), init(2))
        self.C3 = Conv2D(init(3, 2, 2, 2), init(3))
        self.F5 = Dense(init(6, 3), init(3))
        self.layers = [self.C1, Tanh(), AvgPool2D(2), self.C3, Tanh(), self.F5]

    def loss(self, x, labels):
        for layer in self.layers:
            x = layer.forward(x)
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        self.labels = labels
        return -np.mean(np.log(self.probs[np.arange(len(labels)), labels]))

    def backward(self):
        batch_size = len(self.labels)
        dout = self.probs.copy()
        dout[np.arange(batch_size), self.labels] -= 1
        dout /= batch_size
        for layer in reversed(self.layers):
            dout = layer.backward(dout)

        grads = [dout]
        for layer in (self.C1, self.C3, self.F5):
            grads += [layer.dW, layer.db]
        return tuple(grads)


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(53)

    def init(*shape):
        return rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))

    net = LeNet(init)
    x = rng.normal(size=(2, 1, 8, 6)).astype(dtype)
    labels = np.array([2, 0])
    weights = [f"self.{layer}.{name}" for layer in ("C1", "C3", "F5") for name in "Wb"]
    return check_gradient(net.loss, net.backward, x, labels, wrt=("x", *weights), **options)
