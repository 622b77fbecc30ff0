"""A kernel in float16, compared with the same function in float64."""

import numpy as np

from pytest_gradcheck import check_gradient

X = np.random.default_rng(0).normal(size=(16, 32)).astype(np.float16)


def rms_norm(x):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True))


def rms_norm_backward(x, dout):
    scale = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True))
    y = x * scale
    return scale * (dout - y * np.mean(dout * y, axis=-1, keepdims=True))


def kernel(x):
    return rms_norm(x.astype(np.float32)).astype(np.float16)


def kernel_backward(x, dout):
    return rms_norm_backward(x.astype(np.float32), dout.astype(np.float32)).astype(np.float16)


def test_kernel(gradcheck):
    gradcheck(kernel, kernel_backward, X, reference=rms_norm)


def test_kernel_beside_a_plain_implementation(gradcheck):
    gradcheck(kernel, kernel_backward, X, reference=(rms_norm, rms_norm_backward))


def test_a_square_root_of_few_digits():
    def coarse_backward(x, dout):
        coarse = 1 - 3 * np.finfo(np.float16).eps  # of an approximation that is a little too small
        return (coarse * kernel_backward(x, dout).astype(np.float32)).astype(np.float16)

    report = check_gradient(kernel, coarse_backward, X, reference=rms_norm)
    assert "entries of x are 3.0 roundings too small" in report.failures[0]
    assert report["x"].wrong == 0
