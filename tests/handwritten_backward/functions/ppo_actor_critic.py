"""PPO in numpy: a network for policy and value, the clipped objective, and its gradients."""

import numpy as np

EDITED = ("policy_backward", "ppo_backward")


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def policy_forward(model, obs):
    """Both heads share the hidden layer."""
    h = np.tanh(obs @ model["W1"] + model["b1"])
    logits = h @ model["Wp"] + model["bp"]
    value = (h @ model["Wv"] + model["bv"]).ravel()
    return softmax(logits), value, h


def policy_backward(model, obs, h, dlogits, dvalue):
    """Backward pass of the network, for the gradients of a batch at both heads."""
    dvalue = dvalue[:, None]
    dWp = h.T @ dlogits
    dbp = dlogits.sum(axis=0)
    dWv = h.T @ dvalue
    dbv = dvalue.sum(axis=0)
    dh = dlogits @ model["Wp"].T + dvalue @ model["Wv"].T
    dz = dh * (1 - h**2)
    dW1 = obs.T @ dz
    db1 = dz.sum(axis=0)
    return {"W1": dW1, "b1": db1, "Wp": dWp, "bp": dbp, "Wv": dWv, "bv": dbv}


def ppo_loss(model, batch, clip_eps, vf_coef, ent_coef):
    obs, actions = batch["obs"], batch["actions"]
    probs, value, h = policy_forward(model, obs)

    logp = np.log(probs[np.arange(len(actions)), actions])
    ratio = np.exp(logp - batch["old_logp"])
    adv = batch["advantages"]
    clipped = np.clip(ratio, 1 - clip_eps, 1 + clip_eps)
    policy_loss = -np.mean(np.minimum(ratio * adv, clipped * adv))

    value_loss = 0.5 * np.mean((value - batch["returns"]) ** 2)
    entropy = -np.sum(probs * np.log(probs), axis=1)
    loss = policy_loss + vf_coef * value_loss - ent_coef * np.mean(entropy)

    cache = {"probs": probs, "value": value, "h": h, "ratio": ratio, "entropy": entropy}
    return loss, cache


def ppo_backward(model, batch, clip_eps, vf_coef, ent_coef, cache):
    obs, actions, adv = batch["obs"], batch["actions"], batch["advantages"]
    probs, ratio = cache["probs"], cache["ratio"]
    n = len(actions)

    # there is no gradient where the clipped term is the smaller one
    is_clipped = ((adv > 0) & (ratio > 1 + clip_eps)) | ((adv < 0) & (ratio < 1 - clip_eps))
    dratio = np.where(is_clipped, 0, -adv) / n
    dlogp = dratio * ratio

    # d log pi(a) / d logits = onehot(a) - probs
    dlogits = -probs * dlogp[:, None]
    dlogits[np.arange(n), actions] += dlogp

    # entropy bonus
    dentropy = -probs * (np.log(probs) + cache["entropy"][:, None])
    dlogits -= ent_coef * dentropy / n

    dvalue = vf_coef * (cache["value"] - batch["returns"]) / n
    return policy_backward(model, obs, cache["h"], dlogits, dvalue)


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(56)
    n, n_obs, n_hidden, n_actions = 10, 4, 5, 3
    model = {
        "W1": rng.normal(0, 0.5, (n_obs, n_hidden)),
        "b1": rng.normal(0, 0.2, n_hidden),
        "Wp": rng.normal(0, 0.6, (n_hidden, n_actions)),
        "bp": rng.normal(0, 0.2, n_actions),
        "Wv": rng.normal(0, 0.6, (n_hidden, 1)),
        "bv": rng.normal(0, 0.2, 1),
    }
    model = {key: value.astype(dtype) for key, value in model.items()}
    obs = rng.normal(size=(n, n_obs)).astype(dtype)
    actions = rng.integers(0, n_actions, n)
    probs, value, _ = policy_forward(model, obs)
    old_logp = np.log(probs[np.arange(n), actions]) + rng.normal(0, 0.25, n)
    returns = value + rng.normal(size=n)
    batch = {
        "obs": obs,
        "actions": actions,
        "old_logp": old_logp.astype(dtype),
        "advantages": rng.normal(size=n).astype(dtype),
        "returns": returns.astype(dtype),
    }
    return check_gradient(
        ppo_loss, ppo_backward, model, batch, 0.2, 0.5, 0.03, wrt="model", **options
    )
