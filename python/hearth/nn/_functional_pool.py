"""nn.functional: pooling and its reverse."""
import math

import hearth

from .. import _C
from .._function import function

_op = function("hidden", module=globals())

avg_pool1d = _C.avg_pool1d
adaptive_avg_pool1d = _C.adaptive_avg_pool1d


@_op
def avg_pool2d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    """Means of windows of images."""
    return _C._nn_avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@_op
def avg_pool3d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    """Means of windows of volumes."""
    return _C._nn_avg_pool3d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _max_pool(run, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    if input.is_complex():
        raise NotImplementedError("max_pool: complex numbers have no order")
    values = run(input, kernel_size, stride, padding, dilation, ceil_mode)
    return values if return_indices else values[0]


@_op
def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Maxima of windows; with return_indices also where they stood."""
    return _max_pool(_C.max_pool1d_with_indices, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@_op
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Maxima of windows of images; with return_indices also where they stood."""
    return _max_pool(_C._nn_max_pool2d, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@_op
def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Maxima of windows of volumes; with return_indices also where they stood."""
    return _max_pool(_C._nn_max_pool3d, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@_op
def max_pool1d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    """max_pool1d with indices."""
    return _C.max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


@_op
def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    """max_pool2d with indices."""
    return _C._nn_max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


@_op
def max_pool3d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    """max_pool3d with indices."""
    return _C._nn_max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode)


def _sizes(input, output_size, spatial):
    """The wanted sizes; None keeps that of the input."""
    if not isinstance(output_size, (list, tuple)):
        output_size = [output_size] * spatial
    if len(output_size) >= input.dim():
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    if len(output_size) != spatial:
        raise RuntimeError(f"output_size must have {spatial} elements, got {len(output_size)}")
    sizes = input.shape[-len(output_size):]
    sizes = [old if new is None else new for new, old in zip(output_size, sizes)]
    if min(sizes) < 0:
        raise RuntimeError(f"elements of output_size must be greater than or equal to 0 but received {sizes}")
    return sizes


@_op
def adaptive_avg_pool2d(input, output_size):
    """Means of as many windows of an image as `output_size` says."""
    return _C._nn_adaptive_avg_pool2d(input, _sizes(input, output_size, 2))


@_op
def adaptive_avg_pool3d(input, output_size):
    """Means of as many windows of a volume as `output_size` says."""
    return _C._nn_adaptive_avg_pool3d(input, _sizes(input, output_size, 3))


@_op
def adaptive_max_pool1d(input, output_size, return_indices=False):
    """Maxima of as many windows as `output_size` says."""
    both = _C.adaptive_max_pool1d(input, output_size)
    return both if return_indices else both[0]


@_op
def adaptive_max_pool2d(input, output_size, return_indices=False):
    """Maxima of as many windows of an image as `output_size` says."""
    both = _C._nn_adaptive_max_pool2d(input, _sizes(input, output_size, 2))
    return both if return_indices else both[0]


@_op
def adaptive_max_pool3d(input, output_size, return_indices=False):
    """Maxima of as many windows of a volume as `output_size` says."""
    both = _C._nn_adaptive_max_pool3d(input, _sizes(input, output_size, 3))
    return both if return_indices else both[0]


@_op
def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """adaptive_max_pool1d with indices."""
    return adaptive_max_pool1d(input, output_size, True)


@_op
def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """adaptive_max_pool2d with indices."""
    return adaptive_max_pool2d(input, output_size, True)


@_op
def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """adaptive_max_pool3d with indices."""
    return adaptive_max_pool3d(input, output_size, True)


def _several(value, count):
    return list(value) if isinstance(value, (list, tuple)) else [value] * count


def _fractional(name, spatial, input, kernel_size, output_size, output_ratio, samples):
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    kernel = _several(kernel_size, spatial)
    if output_size is None:
        ratio = _several(output_ratio, spatial)
        if len(ratio) > 2 and spatial == 2:
            raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
        output_size = [int(input.shape[d - spatial] * ratio[d]) for d in range(spatial)]
    output = _several(output_size, spatial)
    if samples is None:
        batch = 1 if input.dim() == spatial + 1 else input.shape[0]
        samples = hearth.rand(batch, input.shape[-spatial - 1], spatial, dtype=input.dtype, device=input.device)
    return _C._nn_fractional_max_pool(input, kernel, output, samples)


@_op
def fractional_max_pool2d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                                       _random_samples=None):
    """fractional_max_pool2d with indices."""
    return _fractional("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, _random_samples)


@_op
def fractional_max_pool3d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                                       _random_samples=None):
    """fractional_max_pool3d with indices."""
    return _fractional("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, _random_samples)


@_op
def fractional_max_pool2d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """Maxima of windows at drawn places (Graham 2014)."""
    both = _fractional("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


@_op
def fractional_max_pool3d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """Maxima of windows of volumes at drawn places."""
    both = _fractional("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


def _unpooled_size(input, kernel, stride, padding, output_size):
    """The size before pooling: the smallest one unless given, which must be near it."""
    count = len(kernel)
    default = [(input.shape[-count + d] - 1) * stride[d] + kernel[d] - 2 * padding[d] for d in range(count)]
    if output_size is None:
        return default
    output_size = list(output_size)
    if len(output_size) == count + 2:
        output_size = output_size[2:]
    if len(output_size) != count:
        raise ValueError("output_size should be a sequence containing "
                         f"{count} or {count + 2} elements, but it has a length of '{len(output_size)}'")
    for d in range(count):
        low, high = default[d] - stride[d], default[d] + stride[d]
        if not low < output_size[d] < high:
            raise ValueError(f'invalid output_size "{output_size}" (dim {d} must be between {low} and {high})')
    return output_size


def _unpool(spatial, input, indices, kernel_size, stride, padding, output_size):
    kernel = _several(kernel_size, spatial)
    stride = _several(kernel_size if stride is None else stride, spatial)
    size = _unpooled_size(input, kernel, stride, _several(padding, spatial), output_size)
    if spatial == 3 and min(stride) <= 0:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {stride}")
    return _C._nn_max_unpool(input, indices, size)


@_op
def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Maxima put back where they stood, zeros elsewhere."""
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


@_op
def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Maxima put back where they stood in images, zeros elsewhere."""
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


@_op
def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Maxima put back where they stood in volumes, zeros elsewhere."""
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)


def _lp_pool(mean, largest, spatial, input, norm_type, kernel_size, stride, ceil_mode):
    if norm_type == 0:
        raise ValueError(f"norm_type must be a non-zero value, but got {norm_type}")
    if norm_type == math.inf:
        return largest(input.abs(), kernel_size, stride, 0, 1, ceil_mode)
    if norm_type == -math.inf:
        return -largest(-input.abs(), kernel_size, stride, 0, 1, ceil_mode)
    means = mean(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    # Sums of odd powers may be negative: they keep their sign, and the root of them is not a number.
    return (means.sign() * means.abs().relu()).mul(math.prod(_several(kernel_size, spatial))).pow(1.0 / norm_type)


@_op
def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of x^p)^(1/p) over windows."""
    return _lp_pool(avg_pool1d, max_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


@_op
def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of x^p)^(1/p) over windows of images."""
    return _lp_pool(avg_pool2d, max_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


@_op
def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of x^p)^(1/p) over windows of volumes."""
    return _lp_pool(avg_pool3d, max_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)
