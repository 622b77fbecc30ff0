"""A spatial transformer: a linear localisation net, an affine grid and a bilinear sampler."""

import numpy as np

EDITED = ("SpatialTransformer.backward",)


class SpatialTransformer:
    """Input (N, C, H, W), output (N, C, H_out, W_out). Outside of the image there are zeros."""

    def __init__(self, W, b, out_size):
        self.params = {"W": W, "b": b}
        self.grads = {}
        h, w = out_size
        ys, xs = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
        self.target = np.stack([xs.ravel(), ys.ravel(), np.ones(h * w)]).astype(W.dtype)
        self.out_size = out_size
        self.cache = None

    def forward(self, x):
        N, C, H, W = x.shape
        flat = x.reshape(N, -1)
        theta = (np.tanh(flat @ self.params["W"]) + self.params["b"]).reshape(N, 2, 3)

        # from [-1, 1] to pixels
        grid = theta @ self.target  # (N, 2, P)
        gx = 0.5 * (grid[:, 0] + 1) * (W - 1)
        gy = 0.5 * (grid[:, 1] + 1) * (H - 1)
        x0 = np.floor(gx).astype(int)
        y0 = np.floor(gy).astype(int)
        fx, fy = gx - x0, gy - y0

        n = np.arange(N)[:, None]
        corners = []
        out = 0
        for dy in (0, 1):
            for dx in (0, 1):
                xi, yi = x0 + dx, y0 + dy
                inside = (xi >= 0) & (xi < W) & (yi >= 0) & (yi < H)
                xi, yi = xi.clip(0, W - 1), yi.clip(0, H - 1)
                wx = fx if dx else 1 - fx
                wy = fy if dy else 1 - fy
                pixels = x[n, :, yi, xi] * inside[..., None]  # (N, P, C)
                out = out + (wx * wy)[..., None] * pixels
                corners.append((dx, dy, xi, yi, wx, wy, inside, pixels))

        self.cache = (x.shape, flat, n, corners)
        return out.transpose(0, 2, 1).reshape(N, C, *self.out_size)

    def backward(self, dout):
        x_shape, flat, n, corners = self.cache
        N, C, H, W = x_shape
        dout = dout.reshape(N, C, -1).transpose(0, 2, 1)

        # sampler
        dimg = np.zeros(x_shape, dtype=dout.dtype)
        dgx = np.zeros(dout.shape[:2], dtype=dout.dtype)
        dgy = np.zeros_like(dgx)
        for dx, dy, xi, yi, wx, wy, inside, pixels in corners:
            weight = wx * wy * inside
            np.add.at(dimg, (n, slice(None), yi, xi), weight[..., None] * dout)
            dweight = np.sum(dout * pixels, axis=-1)
            if dx == 1:
                dgx += dweight * wy
            else:
                dgx -= dweight * wy
            if dy == 1:
                dgy += dweight * wx
            else:
                dgy -= dweight * wx

        # grid generator
        dgrid = np.stack([dgx * (W - 1) / 2, dgy * (H - 1) / 2], axis=1)
        dtheta = np.matmul(dgrid, self.target.T).reshape(N, 6)

        # localisation
        t = np.tanh(flat.dot(self.params["W"]))
        da = dtheta * (1 - t**2)
        self.grads["W"] = flat.T.dot(da)
        self.grads["b"] = dtheta.sum(axis=0)
        dflat = da.dot(self.params["W"].T)
        return dimg + dflat.reshape(x_shape)


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(5807)
    N, C, H, W = 2, 2, 4, 5
    x = rng.normal(size=(N, C, H, W)).astype(dtype)
    weights = rng.normal(0, 0.05, (C * H * W, 6)).astype(dtype)
    b = np.array([0.8, 0.15, 0.1, -0.2, 0.9, -0.05], dtype=dtype)
    layer = SpatialTransformer(weights, b, (3, 3))
    return check_gradient(layer.forward, layer.backward, x, wrt=("x", "self.params"), **options)
