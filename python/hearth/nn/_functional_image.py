"""nn.functional: padding, resizing, sampling and rearranging of images."""
import math
import warnings

import hearth

from .. import _C
from .._function import function

_op = function("hidden", module=globals())


@_op
def pad(input, pad, mode="constant", value=None):
    """input with elements put around (or, where `pad` is negative, cut off), the last dimension first."""
    pad = list(pad)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) // 2 > input.dim():
        raise RuntimeError("Padding length should be less than or equal to two times the input dimension but got padding "
                           f"length {len(pad)} and input of dimension {input.dim()}")
    if mode == "constant":
        return _C._nn_pad(input, pad, "constant", 0 if value is None else value)
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    around = len(pad) // 2
    if not (around and around + 1 <= input.dim() <= around + 2 and around <= 3):
        raise NotImplementedError("Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now")
    return _C._nn_pad(input, pad, mode, 0)


# The modes that each number of dimensions knows.
_MODES = {3: ("linear",), 4: ("bilinear", "bicubic", "lanczos"), 5: ("trilinear",)}


def _target(input, size, scale_factor, mode, recompute_scale_factor):
    """(sizes, factors or None) of the spatial dimensions."""
    spatial = input.dim() - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    given = size if size is not None else scale_factor
    several = isinstance(given, (list, tuple))
    if several and len(given) != spatial:
        what = "output size" if size is not None else "scale_factor"
        raise ValueError("Input and output must have the same number of spatial dimensions, but got input with spatial "
                         f"dimensions of {list(input.shape[2:])} and {what} of {given}.")
    values = list(given) if several else [given] * spatial
    if size is not None:
        for one in values:
            if isinstance(one, float):
                raise TypeError("expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], "
                                f"but got size with types {[type(x) for x in values]}")
        return [int(one) for one in values], None
    factors = [float(one) for one in values]
    sizes = [int(math.floor(float(input.shape[2 + i]) * factor)) for i, factor in enumerate(factors)]
    return sizes, None if recompute_scale_factor or mode == "area" else factors


@_op
def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
                antialias=False):
    """input resized to `size`, or by `scale_factor`."""
    plain = mode in ("nearest", "area", "nearest-exact")
    if plain and align_corners is not None:
        raise ValueError("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                         "trilinear")
    sizes, factors = _target(input, size, scale_factor, mode, recompute_scale_factor)
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.dim() == 4):
        raise ValueError("Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input")
    if not plain and mode not in _MODES.get(input.dim(), ()) or input.dim() not in _MODES:
        raise NotImplementedError(f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.dim()}D) for the "
                                  f"modes that fit them (got {mode})")
    if mode == "lanczos":
        if align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
    return _C._nn_resize(input, sizes, factors, mode, bool(align_corners), antialias)


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """The former name of interpolate."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """interpolate with mode "nearest"."""
    warnings.warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """interpolate with mode "bilinear" and align_corners."""
    warnings.warn("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _base(size, like, align_corners):
    """Places in [-1, 1]: of the outer pixels' centres with align_corners, of the outer edges otherwise."""
    if size <= 1:
        return hearth.zeros([size], dtype=like.dtype)
    places = hearth.linspace(-1, 1, size, dtype=like.dtype)
    return places if align_corners else places * ((size - 1) / size)


def affine_grid_generator(theta, size, align_corners):
    """Where each pixel of an image of `size` lies under the maps `theta` [N, 2, 3] or [N, 3, 4]."""
    spatial = list(size)[2:]
    axes = [_base(count, theta, align_corners) for count in spatial]
    grids = hearth.meshgrid(*axes, indexing="ij")
    points = hearth.stack([*reversed(grids), hearth.ones_like(grids[0])], -1).reshape(1, -1, len(spatial) + 1)
    places = hearth.matmul(points.expand(theta.shape[0], -1, -1), theta.transpose(1, 2))
    return places.reshape([theta.shape[0], *spatial, len(spatial)])


@_op
def affine_grid(theta, size, align_corners=None):
    """A sampling grid [N, ..., 2 or 3] for grid_sample, of the affine maps `theta`."""
    if align_corners is None:
        warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
                      "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
                      "details.", stacklevel=2)
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    size = list(size)
    if len(size) not in (4, 5):
        raise NotImplementedError("affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
                                  f"Got size {size}.")
    rows = len(size) - 2
    if theta.dim() != 3 or tuple(theta.shape[1:]) != (rows, rows + 1):
        raise ValueError(f"Expected a batch of {rows}D affine matrices of shape Nx{rows}x{rows + 1} for size {size}. Got "
                         f"{theta.shape}.")
    if align_corners and min(size[2:]) == 1:
        warnings.warn("Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. "
                      "This is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
                      stacklevel=2)
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return affine_grid_generator(theta, size, align_corners)


@_op
def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """input's values at the places of `grid` [N, ..., 2 or 3] in [-1, 1]."""
    from ._functional_sample import sample

    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError("nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: "
                         f"'{mode}'")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError("nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but "
                         f"got: '{padding_mode}'")
    if align_corners is None:
        warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
                      "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
                      "details.", stacklevel=2)
        align_corners = False
    return sample(input, grid, mode, padding_mode, align_corners)


@_op
def pixel_shuffle(input, upscale_factor):
    """[..., C r^2, H, W] as [..., C, H r, W r]."""
    r = upscale_factor
    if input.dim() < 3:
        raise RuntimeError(f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.dim()} "
                           "dimension(s)")
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *batch, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                           f"upscale_factor, but input.size(-3)={channels} is not divisible by {r * r}")
    n, c = len(batch), channels // (r * r)
    cells = input.reshape([*batch, c, r, r, height, width])
    order = [*range(n + 1), n + 3, n + 1, n + 4, n + 2]
    return cells.permute(order).reshape([*batch, c, height * r, width * r])


@_op
def pixel_unshuffle(input, downscale_factor):
    """The reverse of pixel_shuffle."""
    r = downscale_factor
    if input.dim() < 3:
        raise RuntimeError(f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.dim()} "
                           "dimension(s)")
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *batch, channels, height, width = input.shape
    for what, size in (("height", height), ("width", width)):
        if size % r:
            raise RuntimeError(f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but {what} {size} is not "
                               f"divisible by {r}")
    n = len(batch)
    cells = input.reshape([*batch, channels, height // r, r, width // r, r])
    order = [*range(n + 1), n + 2, n + 4, n + 1, n + 3]
    return cells.permute(order).reshape([*batch, channels * r * r, height // r, width // r])


@_op
def channel_shuffle(input, groups):
    """The channels of `groups` groups taken in turn."""
    if input.dim() <= 2:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    n, channels = input.shape[:2]
    if channels % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups.")
    rest = list(input.shape[2:])
    return input.reshape([n, groups, channels // groups, *rest]).transpose(1, 2).reshape([n, channels, *rest])


native_channel_shuffle = channel_shuffle


def _two(value):
    return list(value) if isinstance(value, (list, tuple)) else [value, value]


def _batched(input, dims, name):
    if input.dim() not in (dims, dims - 1):
        raise RuntimeError(f"{name}: expected {dims}-D or {dims - 1}-D input, got {list(input.shape)}")
    return input if input.dim() == dims else input.unsqueeze(0)


@_op
def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Windows of images as columns: [N, C, H, W] to [N, C * window, windows]."""
    x = _batched(input, 4, "unfold")
    if x.dtype == _C.bool:
        return unfold(input.to(_C.uint8), kernel_size, dilation, padding, stride).to(_C.bool)
    if x.is_complex():
        parts = [_C._nn_im2col(part, _two(kernel_size), _two(dilation), _two(padding), _two(stride))
                 for part in (x.real, x.imag)]
        made = hearth.complex(*parts)
    else:
        made = _C._nn_im2col(x, _two(kernel_size), _two(dilation), _two(padding), _two(stride))
    return made if input.dim() == 4 else made.squeeze(0)


@_op
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The reverse of unfold; where windows overlap they add up."""
    x = _batched(input, 3, "fold")
    sizes = [_two(value) for value in (output_size, kernel_size, dilation, padding, stride)]
    if x.is_complex():
        made = hearth.complex(*(_C._nn_col2im(part, *sizes) for part in (x.real, x.imag)))
    else:
        made = _C._nn_col2im(x, *sizes)
    return made if input.dim() == 3 else made.squeeze(0)
