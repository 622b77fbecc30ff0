"""A translator: layers over time with lists of params and grads, attention in each step."""

import numpy as np

EDITED = (
    "TimeEmbedding.backward",
    "TimeRNN.backward",
    "AttentionStep.backward",
    "TimeAttention.backward",
    "TimeAffine.backward",
    "TimeSoftmaxWithLoss.backward",
    "Seq2seq.backward",
)


def softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    x = np.exp(x)
    return x / x.sum(axis=-1, keepdims=True)


class TimeEmbedding:
    def __init__(self, W):
        self.params = [W]
        self.grads = [np.zeros_like(W)]

    def forward(self, idx):
        self.idx = idx
        return self.params[0][idx]

    def backward(self, dout):
        dW = np.zeros_like(self.params[0])
        np.add.at(dW, self.idx, dout)
        self.grads[0][...] = dW


class TimeRNN:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, xs, h):
        Wx, Wh, b = self.params
        N, T, D = xs.shape
        hs = np.empty((N, T, len(Wh)), dtype=xs.dtype)
        self.cache = []
        for t in range(T):
            h_prev = h
            h = np.tanh(xs[:, t] @ Wx + h_prev @ Wh + b)
            hs[:, t] = h
            self.cache.append((xs[:, t], h_prev, h))
        return hs

    def backward(self, dhs, dh=0):
        """dh is what comes from after the last step, beside dhs. Keeps dh0 for the encoder."""
        Wx, Wh, b = self.params
        N, T, H = dhs.shape
        dxs = np.empty((N, T, len(Wx)), dtype=dhs.dtype)
        for grad in self.grads:
            grad[...] = 0
        dWx, dWh, db = self.grads
        for t in reversed(range(T)):
            x, h_prev, h_next = self.cache[t]
            dh = dh + dhs[:, t]
            dz = dh * (1 - h_next**2)
            dWx += x.T @ dz
            dWh += h_prev.T @ dz
            db += dz.sum(axis=0)
            dxs[:, t] = dz @ Wx.T
            dh = dz @ Wh.T
        self.dh0 = dh
        return dxs


class AttentionStep:
    """Scaled dot products with all states of the encoder, and their weighted sum."""

    def forward(self, hs, h):
        score = (hs * h[:, None, :]).sum(axis=2) / np.sqrt(h.shape[1])
        a = softmax(score)
        self.cache = (hs, h, a)
        return (hs * a[:, :, None]).sum(axis=1)

    def backward(self, dc):
        hs, h, a = self.cache

        # weighted sum
        da = (hs * dc[:, None, :]).sum(axis=2)
        dhs = a[:, :, None] * dc[:, None, :]

        # softmax
        dscore = a * da
        dscore -= a * dscore.sum(axis=1, keepdims=True)
        dscore /= np.sqrt(h.shape[1])

        # dot products
        dhs += dscore[:, :, None] * h[:, None, :]
        dh = (dscore[:, :, None] * hs).sum(axis=1)
        return dhs, dh


class TimeAttention:
    def forward(self, hs_enc, hs_dec):
        self.steps = []
        out = np.empty_like(hs_dec)
        for t in range(hs_dec.shape[1]):
            step = AttentionStep()
            out[:, t] = step.forward(hs_enc, hs_dec[:, t])
            self.steps.append(step)
        return out

    def backward(self, dout):
        dhs_enc = 0
        dhs_dec = np.empty_like(dout)
        for t, step in enumerate(self.steps):
            dhs, dh = step.backward(dout[:, t])
            dhs_enc = dhs_enc + dhs
            dhs_dec[:, t] = dh
        return dhs_enc, dhs_dec


class TimeAffine:
    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return x @ W + b

    def backward(self, dout):
        W, b = self.params
        N, T, D = self.x.shape
        dout = dout.reshape(N * T, -1)
        rx = self.x.reshape(N * T, -1)
        self.grads[0][...] = rx.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return (dout @ W.T).reshape(N, T, D)


class TimeSoftmaxWithLoss:
    def forward(self, scores, ts, ignore_label=-1):
        N, T, V = scores.shape
        self.mask = ts.reshape(N * T) != ignore_label
        self.ts = ts.reshape(N * T)
        self.ys = softmax(scores.reshape(N * T, V))
        self.shape = scores.shape
        ls = np.log(self.ys[np.arange(N * T), self.ts])
        ls *= self.mask
        return -ls.sum() / self.mask.sum()

    def backward(self):
        dx = self.ys.copy()
        dx[np.arange(len(self.ts)), self.ts] -= 1
        dx /= self.mask.sum()
        dx *= self.mask[:, np.newaxis]
        return dx.reshape(self.shape)


class Seq2seq:
    def __init__(self, V, D, H, rng, dtype):
        def init(*shape):
            return rng.normal(0, 0.7, shape).astype(dtype)

        self.enc_embed = TimeEmbedding(init(V, D))
        self.enc_rnn = TimeRNN(init(D, H), init(H, H), init(H))
        self.dec_embed = TimeEmbedding(init(V, D))
        self.dec_rnn = TimeRNN(init(D, H), init(H, H), init(H))
        self.attention = TimeAttention()
        self.affine = TimeAffine(init(2 * H, V), init(V))
        self.loss_layer = TimeSoftmaxWithLoss()
        layers = (self.enc_embed, self.enc_rnn, self.dec_embed, self.dec_rnn, self.affine)
        self.params = [p for layer in layers for p in layer.params]
        self.grads = [g for layer in layers for g in layer.grads]

    def forward(self, xs, ts):
        """The target is fed to the decoder, and each of its words but the first is predicted."""
        dtype = self.params[0].dtype
        h0 = np.zeros((len(xs), len(self.params[2])), dtype=dtype)
        hs_enc = self.enc_rnn.forward(self.enc_embed.forward(xs), h0)
        hs_dec = self.dec_rnn.forward(self.dec_embed.forward(ts[:, :-1]), hs_enc[:, -1])
        context = self.attention.forward(hs_enc, hs_dec)
        scores = self.affine.forward(np.concatenate((context, hs_dec), axis=2))
        return self.loss_layer.forward(scores, ts[:, 1:])

    def backward(self):
        dout = self.affine.backward(self.loss_layer.backward())
        H = dout.shape[2] // 2
        dcontext, dhs_dec = dout[:, :, :H], dout[:, :, H:]
        dhs_enc, dhs_attention = self.attention.backward(dcontext)
        dhs_dec = dhs_dec + dhs_attention
        self.dec_embed.backward(self.dec_rnn.backward(dhs_dec))
        dhs_enc[:, -1] += self.dec_rnn.dh0
        self.enc_embed.backward(self.enc_rnn.backward(dhs_enc))
        return self.grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(42)
    model = Seq2seq(V=4, D=2, H=3, rng=rng, dtype=dtype)
    xs = np.array([[0, 3, 1, 2], [2, 2, 1, 3]])
    ts = np.array([[0, 1, 3, 2], [0, 2, 1, -1]])
    return check_gradient(model.forward, model.backward, xs, ts, wrt="self.params", **options)
