"""A small WaveNet: gated causal convolutions of growing dilation, with residual and skip paths."""

import numpy as np

EDITED = (
    "CausalConv1d.backward",
    "GatedResidualBlock.backward",
    "WaveNet.backward",
)


class CausalConv1d:
    """The output at t sees x at t, t - dilation, t - 2 dilation, ..."""

    def __init__(self, c_in, c_out, kernel_size, dilation, rng, dtype):
        scale = 1 / np.sqrt(c_in * kernel_size)
        self.weight = rng.normal(0, scale, (kernel_size, c_out, c_in)).astype(dtype)
        self.bias = rng.normal(0, 0.2, c_out).astype(dtype)
        self.dilation = dilation

    def forward(self, x):
        T = x.shape[2]
        self.x = x
        out = np.zeros((x.shape[0], len(self.bias), T), dtype=x.dtype)
        for k, w in enumerate(self.weight):
            delay = k * self.dilation
            out[:, :, delay:] += np.einsum("oc,bct->bot", w, x[:, :, : T - delay])
        return out + self.bias[:, None]

    def backward(self, grad):
        T = grad.shape[2]
        self.bias_grad = grad.sum(axis=(0, 2))
        self.weight_grad = np.zeros_like(self.weight)
        dx = np.zeros_like(self.x)
        for k, w in enumerate(self.weight):
            delay = k * self.dilation
            late = grad[:, :, delay:]
            early = self.x[:, :, : T - delay]
            self.weight_grad[k] = np.einsum("bot,bct->oc", late, early)
            dx[:, :, : T - delay] += np.einsum("oc,bot->bct", w, late)
        return dx


class GatedResidualBlock:
    def __init__(self, channels, skip_channels, dilation, rng, dtype):
        self.channels = channels
        self.conv = CausalConv1d(channels, 2 * channels, 2, dilation, rng, dtype)
        self.mix = CausalConv1d(channels, channels, 1, 1, rng, dtype)
        self.skip = CausalConv1d(channels, skip_channels, 1, 1, rng, dtype)

    def forward(self, x):
        a = self.conv.forward(x)
        self.filter = np.tanh(a[:, : self.channels])
        self.gate = 1 / (1 + np.exp(-a[:, self.channels :]))
        z = self.filter * self.gate
        return (x + self.mix.forward(z)) * np.sqrt(0.5), self.skip.forward(z)

    def backward(self, dout, dskip):
        dout = dout * np.sqrt(0.5)
        dz = self.mix.backward(dout) + self.skip.backward(dskip)
        dfilter = dz * self.gate * (1 - self.filter**2)
        dgate = dz * self.filter * self.gate * (1 - self.gate)
        da = np.concatenate([dfilter, dgate], axis=1)
        return dout + self.conv.backward(da)


class WaveNet:
    """The output is a tanh of all skips; what leaves the last residual path is used as well."""

    def __init__(self, channels, skip_channels, dilations, rng, dtype):
        self.blocks = [
            GatedResidualBlock(channels, skip_channels, dilation, rng, dtype)
            for dilation in dilations
        ]

    def forward(self, x):
        h, total = x, 0
        for block in self.blocks:
            h, skip = block.forward(h)
            total = total + skip
        y = np.tanh(total)
        self.y = y
        return y, h

    def backward(self, dy, dh):
        dtotal = dy * (1 - self.y**2)
        for block in reversed(self.blocks):
            dh = block.backward(dh, dtotal)
        grads = []
        for block in self.blocks:
            for conv in (block.conv, block.mix, block.skip):
                grads += [conv.weight_grad, conv.bias_grad]
        return dh, *grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(64)
    net = WaveNet(2, 3, (1, 2, 4), rng, dtype)
    x = rng.normal(size=(2, 2, 7)).astype(dtype)
    weights = []
    for i in range(3):
        for conv in ("conv", "mix", "skip"):
            weights += [f"self.blocks[{i}].{conv}.{name}" for name in ("weight", "bias")]
    return check_gradient(net.forward, net.backward, x, wrt=("x", *weights), **options)
