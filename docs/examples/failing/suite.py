import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view


def conv1d(x, w, groups, stride):
    windows = sliding_window_view(x, w.shape[2], axis=1)[:, ::stride]
    windows = windows.reshape(groups, -1, *windows.shape[1:])
    filters = w.reshape(groups, -1, *w.shape[1:])
    out = np.einsum("gcnk,gfck->gfn", windows, filters)
    return out.reshape(len(w), -1)


def conv1d_backward(dout, x, w, groups, stride):
    windows = sliding_window_view(x, w.shape[2], axis=1)[:, ::stride]
    if groups == 1:
        return np.einsum("fn,cnk->fck", dout, windows)
    windows = sliding_window_view(x, w.shape[2], axis=1)[:, : dout.shape[1]]  # no stride
    windows = windows.reshape(groups, -1, *windows.shape[1:])
    dout = dout.reshape(groups, -1, dout.shape[1])
    return np.einsum("gfn,gcnk->gfck", dout, windows).reshape(w.shape)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 3])
def test_conv1d(gradcheck, groups, stride, size):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 10)), rng.normal(size=(8, 4 // groups, size))
    gradcheck(conv1d, conv1d_backward, x, w, groups, stride, wrt="w")
