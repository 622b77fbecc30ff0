"""Neural style transfer: content, Gram matrices and total variation, by the pixels of an image."""

import numpy as np

EDITED = (
    "conv_backward",
    "content_loss",
    "style_loss",
    "tv_loss",
    "style_transfer_loss",
)


def conv_forward(x, w, b):
    """3x3 convolution of one image (C, H, W), without padding"""
    H, W = x.shape[1] - 2, x.shape[2] - 2
    out = np.zeros((w.shape[0], H, W)) + b[:, None, None]
    for r in range(3):
        for s in range(3):
            out += np.tensordot(w[:, :, r, s], x[:, r : r + H, s : s + W], axes=1)
    return out


def conv_backward(dout, x, w):
    """Only the gradient of the image, the network is fixed"""
    H, W = dout.shape[1:]
    dx = np.zeros_like(x)
    for r in range(3):
        for s in range(3):
            dx[:, r : r + H, s : s + W] += np.tensordot(w[:, :, r, s].T, dout, axes=1)
    return dx


def extract_features(x, net):
    feats = []
    for w, b in net:
        x = np.maximum(conv_forward(x, w, b), 0)
        feats.append(x)
    return feats


def gram_matrix(feat):
    C, H, W = feat.shape
    F = feat.reshape(C, H * W)
    return F @ F.T / (C * H * W)


def content_loss(feat, target, weight):
    diff = feat - target
    loss = weight * np.sum(diff**2)
    # backward
    dfeat = 2 * weight * diff
    return loss, dfeat


def style_loss(feat, target_gram, weight):
    C, H, W = feat.shape
    diff = gram_matrix(feat) - target_gram
    loss = weight * np.sum(diff**2)
    # backward
    dgram = 2 * weight * diff
    F = feat.reshape(C, H * W)
    dF = (dgram + dgram.T) @ F / (C * H * W)
    return loss, dF.reshape(feat.shape)


def tv_loss(img, weight, beta=1.5, eps=0.05):
    """sum((dx^2 + dy^2 + eps)^(beta / 2)) over all pixels but the last row and column"""
    right = img[:, :-1, 1:] - img[:, :-1, :-1]
    down = img[:, 1:, :-1] - img[:, :-1, :-1]
    energy = right**2 + down**2 + eps
    loss = weight * np.sum(energy ** (beta / 2))
    # backward
    denergy = weight * (beta / 2) * energy ** (beta / 2 - 1)
    dright = 2 * right * denergy
    ddown = 2 * down * denergy
    dimg = np.zeros_like(img)
    dimg[:, :-1, 1:] += dright
    dimg[:, 1:, :-1] += ddown
    dimg[:, :-1, :-1] -= dright + ddown
    return loss, dimg


def style_transfer_loss(img, net, content_target, style_targets, weights):
    feats = extract_features(img, net)
    loss, dcontent = content_loss(feats[-1], content_target, weights["content"])
    dfeats = []
    for feat, gram, weight in zip(feats, style_targets, weights["style"], strict=True):
        layer_loss, dfeat = style_loss(feat, gram, weight)
        loss += layer_loss
        dfeats.append(dfeat)
    smoothness, dtv = tv_loss(img, weights["tv"])
    loss += smoothness

    # backward through the network, the last layer first
    inputs = [img, *feats[:-1]]
    dout = dcontent
    for layer in reversed(range(len(net))):
        dout = dout + dfeats[layer]
        dout = dout * (feats[layer] > 0)
        dout = conv_backward(dout, inputs[layer], net[layer][0])
    dimg = dout + dtv
    return loss, dimg


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(75)
    net = []
    for c_in, c_out in [(2, 4), (4, 3)]:
        w = rng.normal(size=(c_out, c_in, 3, 3)) / np.sqrt(4.5 * c_in)
        net.append((w.astype(dtype), rng.normal(0.2, 0.1, c_out).astype(dtype)))
    img, content, style = rng.normal(size=(3, 2, 7, 6)).astype(dtype)
    content_target = extract_features(content, net)[-1]
    style_targets = [gram_matrix(feat) for feat in extract_features(style, net)]
    weights = {"content": 0.1, "style": [4.0, 2.5], "tv": 0.08}
    return check_gradient(
        style_transfer_loss,
        True,
        img,
        net,
        content_target,
        style_targets,
        weights,
        wrt="img",
        **options,
    )
