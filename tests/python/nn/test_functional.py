"""nn.functional: values against plain NumPy formulas, gradients against finite differences, errors."""
import math
import warnings

import numpy as np
import pytest

import hearth as torch
import hearth.nn.functional as F


def data(*shape, seed=0, low=-1.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, shape)


def tensor(array, grad=False):
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float64).requires_grad_(grad)


def close(found, wanted, tolerance=1e-9):
    np.testing.assert_allclose(np.asarray(found.detach().numpy()), wanted, rtol=tolerance, atol=tolerance)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


X = data(3, 4, seed=1, low=-3, high=3)

# name of the function, its arguments after the input, NumPy's formula
ELEMENTWISE = [
    ("relu", (), lambda x: np.maximum(x, 0)),
    ("relu6", (), lambda x: np.clip(x, 0, 6)),
    ("elu", (0.7,), lambda x: np.where(x > 0, x, 0.7 * np.expm1(x))),
    ("celu", (0.7,), lambda x: np.where(x > 0, x, 0.7 * np.expm1(x / 0.7))),
    ("leaky_relu", (0.2,), lambda x: np.where(x > 0, x, 0.2 * x)),
    ("hardtanh", (-0.5, 2.0), lambda x: np.clip(x, -0.5, 2)),
    ("hardsigmoid", (), lambda x: np.clip(x + 3, 0, 6) / 6),
    ("hardswish", (), lambda x: x * np.clip(x + 3, 0, 6) / 6),
    ("silu", (), lambda x: x * sigmoid(x)),
    ("mish", (), lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    ("softplus", (2.0, 3.0), lambda x: np.where(2 * x > 3, x, np.log1p(np.exp(2 * x)) / 2)),
    ("softshrink", (0.4,), lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.4, 0)),
    ("hardshrink", (0.4,), lambda x: np.where(np.abs(x) > 0.4, x, 0)),
    ("softsign", (), lambda x: x / (1 + np.abs(x))),
    ("tanhshrink", (), lambda x: x - np.tanh(x)),
    ("threshold", (0.1, 20.0), lambda x: np.where(x > 0.1, x, 20)),
    ("logsigmoid", (), lambda x: np.log(sigmoid(x))),
    ("gelu", (), lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))),
    ("glu", (1,), lambda x: x[:, :2] * sigmoid(x[:, 2:])),
    ("softmax", (1,), lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    ("softmin", (0,), lambda x: np.exp(-x) / np.exp(-x).sum(0, keepdims=True)),
    ("log_softmax", (1,), lambda x: x - np.log(np.exp(x).sum(1, keepdims=True))),
    ("normalize", (), lambda x: x / np.sqrt((x * x).sum(1, keepdims=True))),
    ("rms_norm", ((4,), None, 0.1), lambda x: x / np.sqrt((x * x).mean(1, keepdims=True) + 0.1)),
    ("layer_norm", ((4,),), lambda x: (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)),
    ("pdist", (), lambda x: np.array([np.linalg.norm(x[i] - x[j]) for i, j in ((0, 1), (0, 2), (1, 2))])),
]


@pytest.mark.parametrize("name,arguments,formula", ELEMENTWISE, ids=[case[0] for case in ELEMENTWISE])
def test_formulas(name, arguments, formula):
    close(getattr(F, name)(tensor(X), *arguments), formula(X))


INPLACE = ["relu", "relu6", "elu", "celu", "selu", "leaky_relu", "hardtanh", "hardsigmoid", "hardswish", "silu", "mish",
           "rrelu"]


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_writes_over_its_argument(name):
    x = tensor(X)
    wanted = getattr(F, name)(tensor(X))
    made = getattr(F, name)(x, inplace=True)
    assert made.data_ptr() == x.data_ptr()
    close(x, wanted.numpy())


def windows(x, kernel, stride):
    """All windows of the last dimension, [..., count, kernel]."""
    count = (x.shape[-1] - kernel) // stride + 1
    return np.stack([x[..., i * stride:i * stride + kernel] for i in range(count)], -2)


def test_pools_against_windows():
    x = data(2, 3, 9)
    seen = windows(x, 3, 2)
    close(F.avg_pool1d(tensor(x), 3, 2), seen.mean(-1))
    values, at = F.max_pool1d(tensor(x), 3, 2, return_indices=True)
    close(values, seen.max(-1))
    assert (at.numpy() == seen.argmax(-1) + 2 * np.arange(4)).all()
    close(F.lp_pool1d(tensor(np.abs(x)), 3, 3, 2), (np.abs(seen) ** 3).sum(-1) ** (1 / 3))
    close(F.adaptive_avg_pool1d(tensor(x), 3), x.reshape(2, 3, 3, 3).mean(-1))
    close(F.max_unpool1d(*F.max_pool1d(tensor(x), 3, return_indices=True), 3),
          np.where(x == np.repeat(x.reshape(2, 3, 3, 3).max(-1), 3, -1), x, 0))


def test_pools_of_images_are_pools_of_rows_and_columns():
    x = data(2, 3, 7, 8)
    by_rows = windows(windows(x, 2, 2).mean(-1).swapaxes(2, 3), 3, 1).mean(-1).swapaxes(2, 3)
    close(F.avg_pool2d(tensor(x), (3, 2), (1, 2)), by_rows)
    close(F.avg_pool3d(tensor(x), (1, 3, 2), (1, 1, 2)), by_rows)
    largest = windows(windows(x, 2, 2).max(-1).swapaxes(2, 3), 3, 1).max(-1).swapaxes(2, 3)
    close(F.max_pool2d(tensor(x), (3, 2), (1, 2)), largest)
    close(F.max_pool3d(tensor(x), (1, 3, 2), (1, 1, 2)), largest)


def test_convolution_against_sums():
    x, w, b = data(2, 4, 7, seed=1), data(6, 2, 3, seed=2), data(6, seed=3)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    wanted = np.zeros((2, 6, 4))
    for o in range(6):
        group = o // 3
        for t in range(4):
            wanted[:, o, t] = (padded[:, 2 * group:2 * group + 2, 2 * t:2 * t + 3] * w[o]).sum((1, 2)) + b[o]
    close(F.conv1d(tensor(x), tensor(w), tensor(b), stride=2, padding=1, groups=2), wanted)
    image = F.conv2d(tensor(x[:, :, None]), tensor(w[:, :, None]), tensor(b), (1, 2), (0, 1), groups=2)
    close(image[:, :, 0], wanted)
    volume = F.conv3d(tensor(x[:, :, None, None]), tensor(w[:, :, None, None]), tensor(b), (1, 1, 2), (0, 0, 1), groups=2)
    close(volume[:, :, 0, 0], wanted)
    # The transpose is the adjoint.
    g = data(2, 6, 4, seed=4)
    back = F.conv_transpose1d(tensor(g), tensor(w), stride=2, padding=1, groups=2)
    plain = F.conv1d(tensor(x), tensor(w), stride=2, padding=1, groups=2)
    assert abs(float((back * tensor(x)).sum() - (plain * tensor(g)).sum())) < 1e-9


def test_fold_adds_what_unfold_took():
    x = tensor(data(2, 3, 5, 6))
    columns = F.unfold(x, (2, 3), padding=1)
    assert columns.shape == (2, 18, 6 * 6)
    counts = F.fold(F.unfold(torch.ones_like(x), (2, 3), padding=1), (5, 6), (2, 3), padding=1)
    close(F.fold(columns, (5, 6), (2, 3), padding=1), (x * counts).numpy())


def test_norms():
    x, w, b = data(4, 6, 5, seed=1), data(6, seed=2), data(6, seed=3)
    mean, var = x.mean((0, 2), keepdims=True), x.var((0, 2), keepdims=True)
    running_mean, running_var = tensor(np.zeros(6)), tensor(np.ones(6))
    made = F.batch_norm(tensor(x), running_mean, running_var, tensor(w), tensor(b), True, 0.2)
    close(made, (x - mean) / np.sqrt(var + 1e-5) * w[:, None] + b[:, None])
    close(running_mean, 0.2 * mean.reshape(-1))
    close(running_var, 0.8 + 0.2 * var.reshape(-1) * 20 / 19)
    groups = x.reshape(4, 3, 10)
    wanted = ((groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + 1e-5)).reshape(4, 6, 5)
    close(F.group_norm(tensor(x), 3, tensor(w), tensor(b)), wanted * w[:, None] + b[:, None])
    close(F.instance_norm(tensor(x)), (x - x.mean(2, keepdims=True)) / np.sqrt(x.var(2, keepdims=True) + 1e-5))
    padded = np.pad(x * x, ((0, 0), (1, 1), (0, 0)))
    near = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
    close(F.local_response_norm(tensor(x), 3, 0.1, 0.5, 2.0), x / np.sqrt(2 + 0.1 * near))


def test_losses():
    x, y = data(5, 4, seed=1), data(5, 4, seed=2)
    d = np.abs(x - y)
    close(F.mse_loss(tensor(x), tensor(y)), (d * d).mean())
    close(F.l1_loss(tensor(x), tensor(y), reduction="sum"), d.sum())
    close(F.smooth_l1_loss(tensor(x), tensor(y), beta=0.5, reduction="none"), np.where(d < 0.5, d * d, d - 0.25))
    close(F.huber_loss(tensor(x), tensor(y), delta=0.5), np.where(d < 0.5, d * d / 2, 0.5 * (d - 0.25)).mean())
    ids = np.array([0, 3, -100, 1, 2])
    weight = data(4, low=0.5)
    logs = x - np.log(np.exp(x).sum(1, keepdims=True))
    kept = np.array([0, 1, 3, 4])
    wanted = -(logs[kept, ids[kept]] * weight[ids[kept]]).sum() / weight[ids[kept]].sum()
    close(F.cross_entropy(tensor(x), torch.tensor(ids), tensor(weight)), wanted)
    close(F.nll_loss(tensor(logs), torch.tensor(ids), tensor(weight)), wanted)
    p, t = sigmoid(x), sigmoid(y)
    bce = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    close(F.binary_cross_entropy(tensor(p), tensor(t)), bce.mean())
    close(F.binary_cross_entropy_with_logits(tensor(x), tensor(t), reduction="none"), bce)
    close(F.kl_div(tensor(np.log(p)), tensor(t), reduction="batchmean"), (t * (np.log(t) - np.log(p))).sum() / 5)
    close(F.triplet_margin_loss(tensor(x), tensor(y), tensor(x + 1), reduction="none"),
          np.maximum(np.linalg.norm(x - y + 1e-6, axis=1) - np.linalg.norm(1e-6 - np.ones((5, 4)), axis=1) + 1, 0))
    margin = np.maximum(1 - x[np.arange(5), ids % 4][:, None] + x, 0)
    margin[np.arange(5), ids % 4] = 0
    close(F.multi_margin_loss(tensor(x), torch.tensor(ids % 4)), (margin.sum(1) / 4).mean())
    close(F.linear_cross_entropy(tensor(x), tensor(np.eye(4)), torch.tensor(ids)), F.cross_entropy(
        tensor(x), torch.tensor(ids)).numpy())


def test_ctc_against_all_paths():
    """Two labels over four steps: every way to spell them is enumerated."""
    import itertools

    logs = F.log_softmax(tensor(data(4, 1, 3, seed=5)), 2)
    probabilities = np.exp(logs.numpy())[:, 0]
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        spelled = [k for i, k in enumerate(path) if k and (i == 0 or path[i - 1] != k)]
        if spelled == [1, 2]:
            total += np.prod([probabilities[t, k] for t, k in enumerate(path)])
    found = F.ctc_loss(logs, torch.tensor([[1, 2]]), torch.tensor([4]), torch.tensor([2]), reduction="sum")
    close(found, -np.log(total))
    impossible = F.ctc_loss(logs, torch.tensor([[1, 1, 1]]), (4,), (3,), reduction="sum", zero_infinity=True)
    assert float(impossible) == 0.0


def test_embedding_and_bags():
    table = data(6, 3)
    ids = np.array([1, 4, 4, 0, 5])
    close(F.embedding(torch.tensor(ids), tensor(table)), table[ids])
    offsets = torch.tensor([0, 2, 2])
    found = F.embedding_bag(torch.tensor(ids), tensor(table), offsets, mode="sum")
    close(found, np.stack([table[[1, 4]].sum(0), np.zeros(3), table[[4, 0, 5]].sum(0)]))
    close(F.embedding_bag(torch.tensor(ids), tensor(table), offsets, mode="max")[2], table[[4, 0, 5]].max(0))
    close(F.embedding_bag(torch.tensor(ids), tensor(table), offsets, mode="mean", padding_idx=4)[0], table[1])
    weight = tensor(table, True)
    F.embedding(torch.tensor(ids), weight, padding_idx=4, scale_grad_by_freq=True).sum().backward()
    close(weight.grad, np.array([1, 1, 0, 0, 0, 1.0])[:, None] * np.ones(3))


def test_attention():
    q, k, v = data(2, 3, 4, seed=1), data(2, 5, 4, seed=2), data(2, 5, 6, seed=3)
    scores = q @ k.swapaxes(1, 2) / 2
    weights = np.exp(scores) / np.exp(scores).sum(2, keepdims=True)
    close(F.scaled_dot_product_attention(tensor(q), tensor(k), tensor(v)), weights @ v)
    mask = np.arange(5) < np.array([[1], [3], [5]])
    kept = np.exp(scores) * mask
    wanted = kept / kept.sum(2, keepdims=True) @ v
    close(F.scaled_dot_product_attention(tensor(q), tensor(k), tensor(v), torch.tensor(mask)), wanted)
    bias = np.where(mask, 0, -np.inf)
    close(F.scaled_dot_product_attention(tensor(q), tensor(k), tensor(v), tensor(bias), 0.0), wanted)


def test_grid_sample_finds_pixels_and_their_middles():
    x = data(1, 2, 4, 5)
    identity = F.affine_grid(tensor([[[1, 0, 0], [0, 1, 0.0]]]), (1, 2, 4, 5), align_corners=True)
    for mode in ("bilinear", "nearest", "bicubic"):
        close(F.grid_sample(tensor(x), identity, mode, align_corners=True), x)
    half = tensor([[[[-0.75, -1.0]]]])
    close(F.grid_sample(tensor(x), half, align_corners=True).reshape(-1), (x[0, :, 0, 0] + x[0, :, 0, 1]) / 2)
    outside = tensor([[[[-5.0, -1.0]]]])
    close(F.grid_sample(tensor(x), outside, align_corners=True).reshape(-1), np.zeros(2))
    close(F.grid_sample(tensor(x), outside, padding_mode="border", align_corners=True).reshape(-1), x[0, :, 0, 0])
    close(F.grid_sample(tensor(x), outside, padding_mode="reflection", align_corners=True).reshape(-1), x[0, :, 0, 0])


def test_interpolate():
    x = data(1, 1, 3, 4)
    assert F.interpolate(tensor(x), scale_factor=2).shape == (1, 1, 6, 8)
    close(F.interpolate(tensor(x), (6, 8)), x.repeat(2, 2).repeat(2, 3))
    line = F.interpolate(tensor([[[0.0, 3.0]]]), 4, mode="linear", align_corners=True)
    close(line.reshape(-1), [0, 1, 2, 3])
    close(F.interpolate(tensor(x), (1, 2), mode="area"), x.reshape(1, 1, 3, 2, 2).mean((2, 4))[:, :, None])


def test_rearranging():
    x = data(2, 8, 3, 2)
    shuffled = F.pixel_shuffle(tensor(x), 2)
    assert shuffled.shape == (2, 2, 6, 4)
    assert float(shuffled[1, 1, 5, 2]) == x[1, 6, 2, 1]
    close(F.pixel_unshuffle(shuffled, 2), x)
    close(F.channel_shuffle(tensor(x), 4)[:, 1], x[:, 2])
    close(F.pad(tensor(x[0]), (1, 2), "circular")[..., 0], x[0, ..., 1])
    assert F.one_hot(torch.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]


def differences(f, arrays, index, step=1e-6):
    """The gradient of the sum of f by central differences."""
    wanted = np.zeros_like(arrays[index])
    for place in np.ndindex(*wanted.shape):
        ends = []
        for sign in (1, -1):
            moved = [a.copy() for a in arrays]
            moved[index][place] += sign * step
            ends.append(float((f(*map(tensor, moved)) * 1.0).sum()))
        wanted[place] = (ends[0] - ends[1]) / (2 * step)
    return wanted


def bend(y):
    """Makes the gradient of every element another one."""
    return (y * torch.linspace(0.5, 1.5, y.numel(), dtype=torch.float64).reshape(y.shape)).sin()


GRADIENTS = {
    "grid_sample": (lambda x, g: F.grid_sample(x, g, align_corners=False), [data(1, 2, 4, 4), data(1, 2, 3, 2, seed=2)]),
    "grid_sample 3d": (lambda x, g: F.grid_sample(x, g, padding_mode="border", align_corners=True),
                       [data(1, 1, 3, 4, 3), data(1, 1, 2, 2, 3, seed=2)]),
    "grid_sample bicubic": (lambda x, g: F.grid_sample(x, g, "bicubic", "reflection", align_corners=False),
                            [data(1, 1, 4, 4), data(1, 2, 2, 2, seed=2)]),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (2, 3), w, b), [data(4, 2, 3), data(2, 3, seed=2), data(2, 3, seed=3)]),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [data(4, 2, 3), data(2, seed=2), data(2, seed=3)]),
    "local_response_norm": (lambda x: F.local_response_norm(x, 3, 0.5), [data(2, 4, 3)]),
    "cosine_similarity": (lambda a, b: F.cosine_similarity(a, b), [data(3, 4), data(3, 4, seed=2)]),
    "pairwise_distance": (lambda a, b: F.pairwise_distance(a, b, 3.0), [data(3, 4), data(3, 4, seed=2)]),
    "pdist": (lambda x: F.pdist(x, 3.0), [data(4, 3)]),
    "bilinear": (lambda a, b, w: F.bilinear(a, b, w), [data(2, 3), data(2, 4, seed=2), data(5, 3, 4, seed=3)]),
    "embedding_bag max": (lambda w: F.embedding_bag(torch.tensor([[0, 2], [1, 1]]), w, mode="max"), [data(3, 2)]),
    "lp_pool2d": (lambda x: F.lp_pool2d(x, 2.0, 2), [data(1, 1, 4, 4, low=0.1)]),
    "interpolate": (lambda x: F.interpolate(x, (5, 3), mode="bicubic", antialias=True), [data(1, 1, 4, 4)]),
    "attention": (lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), [data(3, 2), data(3, 2), data(3, 2)]),
    "multilabel_margin_loss": (lambda x: F.multilabel_margin_loss(x, torch.tensor([[1, 0, -1, 2]])), [data(1, 4)]),
    "gaussian_nll_loss": (lambda x, v: F.gaussian_nll_loss(x, x * 0.5, v, full=True), [data(3, 2), data(3, 2, low=0.2)]),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    f, arrays = GRADIENTS[name]
    inputs = [tensor(a, True) for a in arrays]
    bend(f(*inputs)).sum().backward()
    for i, x in enumerate(inputs):
        close(x.grad, differences(lambda *given: bend(f(*given)), arrays, i), 1e-6)


def test_ctc_gradient_is_that_of_the_logits():
    logits = data(5, 2, 4, seed=3)
    targets, lengths = torch.tensor([[1, 2], [3, 3]]), (torch.tensor([5, 4]), torch.tensor([2, 2]))

    def loss(x):
        return F.ctc_loss(F.log_softmax(x, 2), targets, *lengths)

    x = tensor(logits, True)
    loss(x).backward()
    close(x.grad, differences(loss, [logits], 0), 1e-6)


def test_dropout_keeps_the_mean_and_repeats_under_a_seed():
    x = torch.ones(20000)
    torch.manual_seed(3)
    first = F.dropout(x, 0.3)
    torch.manual_seed(3)
    assert torch.equal(first, F.dropout(x, 0.3))
    assert abs(float(first.mean()) - 1) < 0.03
    assert set(first.unique().tolist()) == {0.0, float(torch.tensor(1 / 0.7))}
    assert F.dropout(x, 0.3, training=False) is x
    channels = F.dropout2d(torch.ones(8, 16, 3, 3), 0.5)
    assert all(len(set(plane.reshape(-1).tolist())) == 1 for sample in channels for plane in sample)


ERRORS = [
    (ValueError, lambda: F.dropout(torch.ones(2), 1.5)),
    (RuntimeError, lambda: F.conv2d(torch.ones(1, 2, 4, 4), torch.ones(3, 3, 2, 2))),
    (RuntimeError, lambda: F.max_pool2d(torch.ones(4, 4), 2)),
    (RuntimeError, lambda: F.avg_pool2d(torch.ones(1, 1, 4, 4), 2, divisor_override=0)),
    (ValueError, lambda: F.batch_norm(torch.ones(1, 3), None, None, training=True)),
    (RuntimeError, lambda: F.layer_norm(torch.ones(2, 3), (4,))),
    (RuntimeError, lambda: F.group_norm(torch.ones(2, 3, 4), 2)),
    (ValueError, lambda: F.interpolate(torch.ones(1, 1, 4), 2, 2.0)),
    (NotImplementedError, lambda: F.interpolate(torch.ones(1, 1, 4), 2, mode="bilinear")),
    (ValueError, lambda: F.mse_loss(torch.ones(2), torch.ones(2), reduction="average")),
    (IndexError, lambda: F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3]))),
    (ValueError, lambda: F.binary_cross_entropy_with_logits(torch.ones(2), torch.ones(3))),
    (RuntimeError, lambda: F.pixel_shuffle(torch.ones(1, 3, 2, 2), 2)),
    (RuntimeError, lambda: F.grid_sample(torch.ones(1, 1, 2, 2), torch.ones(1, 2, 2, 3), align_corners=True)),
    (ValueError, lambda: F.embedding_bag(torch.tensor([1]), torch.ones(2, 2))),
    (RuntimeError, lambda: F.scaled_dot_product_attention(torch.ones(3), torch.ones(3), torch.ones(3))),
    (RuntimeError, lambda: F.ctc_loss(torch.ones(2, 1, 3), torch.tensor([[1]]), (3,), (1,))),
    (RuntimeError, lambda: F.glu(torch.ones(3))),
]


@pytest.mark.parametrize("kind,call", ERRORS)
def test_errors(kind, call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(kind):
            call()


def test_old_flags_warn_and_still_count():
    x, y = tensor(data(3)), tensor(data(3, seed=2))
    with pytest.warns(UserWarning):
        close(F.mse_loss(x, y, size_average=False), F.mse_loss(x, y, reduction="sum").numpy())


def test_twins_of_the_torch_namespace():
    x = tensor(data(2, 3, 4))
    close(torch.layer_norm(x, (4,)), F.layer_norm(x, (4,)).numpy())
    close(torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False), F.batch_norm(x, None, None, training=True).numpy())
    close(torch.kl_div(x, x.exp(), 2), F.kl_div(x, x.exp(), reduction="sum").numpy())
    out, mean, rstd = torch.native_layer_norm(x, (4,), None, None, 1e-5)
    assert mean.shape == rstd.shape == (2, 3, 1) and out.shape == x.shape
    assert torch.celu_(x.clone()).shape == x.shape
