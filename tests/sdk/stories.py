"""Small batches for the bundled model (vocabulary 2048, context 256), and the losses recomputed with NumPy."""
import numpy as np
from tinker import types

VOCABULARY, CONTEXT = 2048, 256


def tokens(count, seed=0):
    """`count` token ids that never are the end of text (0)."""
    return [int(t) for t in np.random.default_rng(seed).integers(1, VOCABULARY, count)]


def prompt(ids):
    return types.ModelInput.from_ints(list(ids))


def supervised(count=8, seed=0, weights=None):
    """One datum of `count` targets for cross_entropy."""
    ids = tokens(count + 1, seed)
    weights = [1.0] * count if weights is None else weights
    return types.Datum(model_input=prompt(ids[:-1]), loss_fn_inputs={"target_tokens": ids[1:], "weights": weights})


def reinforced(count=8, seed=0, old=-7.0):
    """One datum for the reinforcement losses: two prompt positions, then advantages of both signs."""
    ids = tokens(count + 1, seed)
    random = np.random.default_rng(seed + 1000)
    advantages = random.normal(size=count).astype(np.float32)
    logprobs = (old + random.normal(size=count)).astype(np.float32)
    advantages[:2] = 0
    logprobs[:2] = 0
    return types.Datum(model_input=prompt(ids[:-1]),
                       loss_fn_inputs={"target_tokens": ids[1:], "logprobs": [float(x) for x in logprobs],
                                       "advantages": [float(x) for x in advantages]})


def inputs(datum, name):
    return np.asarray(datum.loss_fn_inputs[name].to_numpy(), dtype=np.float64)


def log_probs(result):
    """The log-probabilities of every datum of a forward or forward_backward result."""
    return [np.asarray(output["logprobs"].to_numpy()) for output in result.loss_fn_outputs]


def loss_value(name, data, result, **config):
    """The loss by its published formula, from the log-probabilities that the server returned."""
    return sum(_FORMULAS[name](lp.astype(np.float64), datum, **config) for datum, lp in zip(data, log_probs(result)))


def _ratio(lp, datum):
    advantages = inputs(datum, "advantages")
    difference = np.where(advantages != 0, lp - inputs(datum, "logprobs"), 0.0)
    return np.exp(difference), advantages


def _cross_entropy(lp, datum):
    return -np.sum(inputs(datum, "weights") * lp)


def _importance_sampling(lp, datum):
    ratio, advantages = _ratio(lp, datum)
    return -np.sum(ratio * advantages)


def _ppo(lp, datum, low=0.8, high=1.2):
    ratio, advantages = _ratio(lp, datum)
    return -np.sum(np.minimum(ratio * advantages, np.clip(ratio, low, high) * advantages))


def _cispo(lp, datum, low=0.0, high=4.0):
    ratio, advantages = _ratio(lp, datum)
    return -np.sum(np.clip(ratio, low, high) * lp * advantages)


def _dro(lp, datum, beta=0.05):
    return -np.sum(lp * inputs(datum, "advantages") - 0.5 * beta * (lp - inputs(datum, "logprobs")) ** 2)


_FORMULAS = {"cross_entropy": _cross_entropy, "importance_sampling": _importance_sampling, "ppo": _ppo, "cispo": _cispo,
             "dro": _dro}
