"""A transposed convolution that stamps its kernel on the output, pixel by pixel."""

import numpy as np

EDITED = ("ConvTranspose2d.backward",)


class ConvTranspose2d:
    def __init__(self, weight, bias, stride=1, padding=0):
        self.weight = weight  # (in_channels, out_channels, kernel_size, kernel_size)
        self.bias = bias  # (out_channels,)
        self.stride = stride
        self.padding = padding
        self.cache = {}

    def forward(self, x):
        batch_size, _, in_h, in_w = x.shape
        _, out_channels, k, _ = self.weight.shape
        s, p = self.stride, self.padding

        full_h = (in_h - 1) * s + k
        full_w = (in_w - 1) * s + k
        full = np.zeros((batch_size, out_channels, full_h, full_w), dtype=x.dtype)
        for i in range(in_h):
            for j in range(in_w):
                # every pixel adds a scaled copy of the kernel
                patch = np.tensordot(x[:, :, i, j], self.weight, axes=([1], [0]))
                full[:, :, i * s : i * s + k, j * s : j * s + k] += patch

        out = full[:, :, p : full_h - p, p : full_w - p]
        out = out + self.bias[None, :, None, None]
        self.cache["x"] = x
        return out

    def backward(self, grad_output):
        x = self.cache["x"]
        _, _, in_h, in_w = x.shape
        k, s, p = self.weight.shape[2], self.stride, self.padding

        self.grad_bias = grad_output.sum(axis=(0, 2, 3))
        self.grad_weight = np.zeros_like(self.weight)
        grad_x = np.zeros_like(x)

        # what was cropped gets no gradient
        grad_full = np.pad(grad_output, ((0, 0), (0, 0), (p, p), (p, p)))
        for i in range(in_h):
            for j in range(in_w):
                grad_patch = grad_full[:, :, i * s : i * s + k, j * s : j * s + k]
                # the kernel sees every pixel, the pixel sees the whole kernel
                self.grad_weight += np.tensordot(x[:, :, i, j], grad_patch, axes=([0], [0]))
                grad_x[:, :, i, j] = np.tensordot(
                    grad_patch, self.weight, axes=([1, 2, 3], [1, 2, 3])
                )

        return grad_x


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(23)
    weight = rng.normal(size=(2, 3, 3, 3)).astype(dtype)
    bias = rng.normal(size=3).astype(dtype)
    layer = ConvTranspose2d(weight, bias, stride=2, padding=1)
    x = rng.normal(size=(2, 2, 3, 2)).astype(dtype)
    return check_gradient(
        layer.forward, layer.backward, x, wrt=("x", "self.weight", "self.bias"), **options
    )
