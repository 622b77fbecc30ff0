"""A network on graphs by messages along edges, with the gradients in dicts of the layers."""

import numpy as np

EDITED = (
    "elu_grad",
    "MeanConv.backward",
    "GlobalMeanPool.backward",
    "Dense.backward",
    "GraphNetwork.backward",
)


def elu(z, alpha):
    return np.where(z > 0, z, alpha * (np.exp(np.minimum(z, 0)) - 1))


def elu_grad(z, alpha):
    return np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0)))


class MeanConv:
    """Each node sees itself, and the mean of its neighbours weighted by their edges."""

    def __init__(self, d_in, d_out, rng, dtype, alpha=0.8):
        self.alpha = alpha
        scale = np.sqrt(2.0 / d_in)
        self.params = {
            "W_self": (scale * rng.normal(size=(d_in, d_out))).astype(dtype),
            "W_neigh": (scale * rng.normal(size=(d_in, d_out))).astype(dtype),
            "b": rng.normal(0, 0.3, d_out).astype(dtype),
        }
        self.grads = {}

    def forward(self, h, src, dst, edge_weight):
        total = np.zeros(len(h), dtype=h.dtype)
        np.add.at(total, dst, edge_weight)
        norm = edge_weight / total[dst]
        neigh = np.zeros_like(h)
        np.add.at(neigh, dst, norm[:, None] * h[src])
        z = h @ self.params["W_self"] + neigh @ self.params["W_neigh"] + self.params["b"]
        self.cache = (h, src, dst, norm, neigh, total, z)
        return elu(z, self.alpha)

    def backward(self, dout):
        """Returns the gradients of the features of the nodes and of the weights of the edges."""
        h, src, dst, norm, neigh, total, z = self.cache
        dz = dout * elu_grad(z, self.alpha)
        self.grads["W_self"] = h.T @ dz
        self.grads["W_neigh"] = neigh.T @ dz
        self.grads["b"] = dz.sum(axis=0)

        dh = dz @ self.params["W_self"].T
        dneigh = dz @ self.params["W_neigh"].T
        dmessage = dneigh[dst]
        np.add.at(dh, src, norm[:, None] * dmessage)

        # the weights of the edges into a node are divided by their total
        dnorm = (dmessage * h[src]).sum(axis=1)
        dedge = dnorm / total[dst]
        dtotal = np.zeros_like(total)
        np.add.at(dtotal, dst, -dnorm * norm / total[dst])
        dedge += dtotal[dst]
        return dh, dedge


class GlobalMeanPool:
    def forward(self, h, batch):
        self.batch = batch
        self.count = np.bincount(batch)
        pooled = np.zeros((len(self.count), h.shape[1]), dtype=h.dtype)
        np.add.at(pooled, batch, h)
        return pooled / self.count[:, None]

    def backward(self, dout):
        return (dout / self.count[:, None].astype(dout.dtype))[self.batch]


class Dense:
    def __init__(self, d_in, d_out, rng, dtype):
        self.params = {
            "W": rng.normal(size=(d_in, d_out)).astype(dtype),
            "b": rng.normal(size=d_out).astype(dtype),
        }
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads = {"W": self.x.T @ dout, "b": dout.sum(axis=0)}
        return dout @ self.params["W"].T


class GraphNetwork:
    """Two convolutions with a skip connection, a pool over each graph, and a regression."""

    def __init__(self, d_in, d_hidden, rng, dtype):
        self.conv1 = MeanConv(d_in, d_hidden, rng, dtype)
        self.conv2 = MeanConv(d_hidden, d_hidden, rng, dtype)
        self.pool = GlobalMeanPool()
        self.head = Dense(d_hidden, 2, rng, dtype)
        self.layers = [self.conv1, self.conv2, self.head]
        self.params = [layer.params for layer in self.layers]

    def forward(self, x, edge_weight, edges, batch, y):
        src, dst = edges
        h1 = self.conv1.forward(x, src, dst, edge_weight)
        h2 = h1 + self.conv2.forward(h1, src, dst, edge_weight)
        self.error = self.head.forward(self.pool.forward(h2, batch)) - y
        return (self.error**2).mean()

    def backward(self):
        dpred = 2 * self.error / self.error.size
        dh2 = self.pool.backward(self.head.backward(dpred))
        dh1, dedge = self.conv2.backward(dh2)
        dh1 += dh2
        dx, dedge1 = self.conv1.backward(dh1)
        dedge += dedge1
        return dx, dedge, [layer.grads for layer in self.layers]


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(45)
    net = GraphNetwork(2, 3, rng, dtype)
    x = rng.normal(size=(7, 2)).astype(dtype)
    # a square with a diagonal, and a path of three nodes
    one_way = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (4, 5), (5, 6)]
    edges = np.array(one_way + [(j, i) for i, j in one_way]).T
    batch = np.array([0, 0, 0, 0, 1, 1, 1])
    edge_weight = rng.uniform(0.5, 2, edges.shape[1]).astype(dtype)
    y = rng.normal(size=(2, 2)).astype(dtype)
    return check_gradient(
        net.forward,
        net.backward,
        x,
        edge_weight,
        edges,
        batch,
        y,
        wrt=("x", "edge_weight", "self.params"),
        **options,
    )
