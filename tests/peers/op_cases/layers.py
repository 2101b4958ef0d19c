# Cases of convolution, pooling, normalization and softmax.

import torch
import torch.nn.functional as F

from op_store import numbers, positive

inf = float("inf")
# input, weight, bias?, arguments
CONV1D = {
    "plain": ((2, 3, 9), (4, 3, 3), True, {}),
    "stride": ((2, 3, 11), (4, 3, 3), True, dict(stride=2, padding=1)),
    "dilation": ((1, 2, 12), (3, 2, 3), False, dict(dilation=2, padding=2)),
    "groups": ((2, 4, 8), (6, 2, 3), True, dict(groups=2, padding=1)),
    "same": ((2, 3, 9), (4, 3, 4), False, dict(padding="same")),
}
CONV2D = {
    "plain": ((2, 3, 6, 7), (4, 3, 3, 2), True, {}),
    "stride": ((1, 3, 9, 8), (4, 3, 3, 3), True, dict(stride=[2, 3], padding=[1, 2])),
    "dilation": ((1, 2, 9, 9), (3, 2, 3, 3), False, dict(dilation=[2, 1], padding=[2, 0])),
    "groups": ((2, 4, 5, 5), (6, 2, 3, 3), True, dict(groups=2, padding=1)),
    "depthwise": ((1, 3, 6, 6), (6, 1, 3, 3), False, dict(groups=3, stride=2, padding=1)),
    "pointwise": ((2, 5, 3, 4), (7, 5, 1, 1), True, {}),
    "no_batch": ((3, 6, 7), (4, 3, 3, 2), True, {}),
}
TRANSPOSED = {
    "plain": ((1, 3, 4, 5), (3, 2, 3, 3), True, {}),
    "stride": ((1, 3, 4, 5), (3, 2, 3, 3), True, dict(stride=2, padding=1, output_padding=1)),
    "groups": ((1, 4, 4, 4), (4, 2, 2, 3), False, dict(groups=2, stride=[1, 2], dilation=[2, 1])),
}
MAX_POOL = {
    "plain": dict(kernel_size=2),
    "stride": dict(kernel_size=3, stride=2, padding=1),
    "dilation": dict(kernel_size=2, stride=1, dilation=2),
    "ceil": dict(kernel_size=3, stride=2, ceil_mode=True),
}
AVERAGE_POOL = {
    "plain": dict(kernel_size=2),
    "padding": dict(kernel_size=3, stride=2, padding=1),
    "without_padding": dict(kernel_size=3, stride=2, padding=1, count_include_pad=False),
    "ceil": dict(kernel_size=3, stride=2, ceil_mode=True),
}


def convolutions(store) -> None:
    for op, table in (("conv1d", CONV1D), ("conv2d", CONV2D), ("conv_transpose2d", TRANSPOSED)):
        for name, (shape, weight, bias, kwargs) in table.items():
            inputs = [numbers("conv_x", *shape), numbers("conv_w", *weight)]
            outputs = weight[1] * kwargs.get("groups", 1) if op == "conv_transpose2d" else weight[0]
            store.add(op, name, getattr(F, op), *inputs, *([numbers("conv_b", outputs)] if bias else []), **kwargs)
    store.add(
        "conv_transpose1d",
        "stride",
        F.conv_transpose1d,
        numbers("ct", 2, 3, 5),
        numbers("ctw", 3, 4, 3),
        stride=2,
        padding=1,
    )


def pools(store) -> None:
    line, image = numbers("pool1", 2, 3, 11), numbers("pool2", 2, 3, 7, 8)
    for name, kwargs in MAX_POOL.items():
        store.add("max_pool1d", name, F.max_pool1d, line, return_indices=True, **kwargs)
        store.add("max_pool2d", name, F.max_pool2d, image, return_indices=True, **kwargs)
    for name, kwargs in AVERAGE_POOL.items():
        store.add("avg_pool1d", name, F.avg_pool1d, line, **kwargs)
        store.add("avg_pool2d", name, F.avg_pool2d, image, **kwargs)
    store.add("max_pool2d", "ties", F.max_pool2d, torch.ones(1, 1, 4, 4), kernel_size=2, return_indices=True)
    store.add("adaptive_avg_pool1d", "four", F.adaptive_avg_pool1d, line, output_size=4)
    store.add("adaptive_avg_pool2d", "uneven", F.adaptive_avg_pool2d, image, output_size=[3, 5])
    store.add("adaptive_avg_pool2d", "one", F.adaptive_avg_pool2d, image, output_size=[1, 1])
    store.add("adaptive_max_pool1d", "four", F.adaptive_max_pool1d, line, output_size=4, return_indices=True)
    store.add("adaptive_max_pool2d", "uneven", F.adaptive_max_pool2d, image, output_size=[3, 5], return_indices=True)


def layer_norm(t, w=None, b=None, *, normalized_shape, eps):
    return F.layer_norm(t, normalized_shape, w, b, eps)


def rows() -> tuple:
    return numbers("norm_x", 3, 4, 19), numbers("norm_w", 19, shift=1.0), numbers("norm_b", 19)


def layer_norms(store) -> None:
    x, w, b = rows()
    store.add("layer_norm", "affine", layer_norm, x, w, b, normalized_shape=[19], eps=1e-5)
    store.add("layer_norm", "plain", layer_norm, x, normalized_shape=[19], eps=1e-5)
    store.add("layer_norm", "weight", layer_norm, x, w, normalized_shape=[19], eps=1e-3)
    store.add(
        "layer_norm",
        "two_dims",
        layer_norm,
        x,
        numbers("nw", 4, 19),
        numbers("nb", 4, 19),
        normalized_shape=[4, 19],
        eps=1e-5,
    )
    store.add(
        "layer_norm", "offset", layer_norm, numbers("off", 3, 19, shift=500.0), w, b, normalized_shape=[19], eps=1e-5
    )
    store.add("layer_norm", "constant", layer_norm, torch.full((2, 19), 3.0), w, b, normalized_shape=[19], eps=1e-5)


def rms_norms(store) -> None:
    x, w, _ = rows()
    store.add("normalize", "dim1", F.normalize, x, p=2.0, dim=1, eps=1e-12)

    def rms(t, w=None, *, normalized_shape, eps):
        return F.rms_norm(t, normalized_shape, w, eps)

    store.add("rms_norm", "weight", rms, x, w, normalized_shape=[19], eps=1e-6)
    store.add("rms_norm", "plain", rms, x, normalized_shape=[19], eps=1e-5)
    store.add(
        "rms_norm", "default_eps_of_float32", rms, x, w, normalized_shape=[19], eps=torch.finfo(torch.float32).eps
    )
    store.add("rms_norm", "tiny", rms, x * 1e-4, w, normalized_shape=[19], eps=1e-6)


def channel_norms(store) -> None:
    image, scale, shift = numbers("bn_x", 3, 4, 2, 3), numbers("bn_w", 4, shift=1.0), numbers("bn_b", 4)

    def batch_norm(t, mean, var, w, b, *, training, momentum, eps):
        mean, var = mean.clone(), var.clone()
        return F.batch_norm(t, mean, var, w, b, training, momentum, eps), mean, var

    running = numbers("bn_m", 4), positive("bn_v", 4)
    for name, training, data in (
        ("train", True, image),
        ("eval", False, image),
        ("train_2d", True, numbers("bn", 5, 4)),
    ):
        store.add(
            "batch_norm",
            name,
            batch_norm,
            data,
            *running,
            scale,
            shift,
            wrt=(0, 3, 4),
            training=training,
            momentum=0.3,
            eps=1e-5,
        )
    for groups in (1, 2, 4):
        store.add(
            "group_norm",
            f"groups{groups}",
            lambda t, w, b, num_groups, eps: F.group_norm(t, num_groups, w, b, eps),
            image,
            scale,
            shift,
            num_groups=groups,
            eps=1e-5,
        )
    store.add("instance_norm", "basic", F.instance_norm, image, eps=1e-5)


def softmaxes(store) -> None:
    x = numbers("softmax", 3, 4, 7, scale=3.0)
    extreme = torch.tensor([[1000.0, 999.0, -1000.0], [-inf, 0.0, 1.0], [-inf, -inf, 2.0], [88.0, 89.0, 3.4e38]])
    for op in ("softmax", "log_softmax"):
        function = getattr(F, op)
        for dim in (0, 1, -1):
            store.add(op, f"dim{dim % 3}", function, x, dim=dim)
        store.add(op, "extreme", function, extreme, grad=False, dim=1)
        store.add(op, "long", function, numbers("softlong", 2, 517, scale=3.0), dim=1)
        for dtype in (torch.bfloat16, torch.float16):
            store.add(op, str(dtype)[6:], function, x.to(dtype), grad=False, dim=-1)


def add_cases(store) -> None:
    convolutions(store)
    pools(store)
    layer_norms(store)
    rms_norms(store)
    channel_norms(store)
    softmaxes(store)
