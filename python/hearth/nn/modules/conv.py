"""Convolutions and transposed convolutions in 1, 2 and 3 dimensions, and their lazy forms."""

import math

import hearth

from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module
from .utils import _pair, _reverse_repeat_tuple, _single, _triple

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "LazyConv1d", "LazyConv2d",
    "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
]  # fmt: skip


def _check_conv(in_channels, out_channels, stride, padding, groups, padding_mode):
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    modes = ("zeros", "reflect", "replicate", "circular")
    if padding_mode not in modes:
        raise ValueError(f"padding_mode must be one of {set(modes)}, but got padding_mode='{padding_mode}'")


class _ConvNd(Module):
    __constants__ = [
        "stride", "padding", "dilation", "groups", "padding_mode", "output_padding", "in_channels", "out_channels",
        "kernel_size",
    ]  # fmt: skip

    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, transposed, output_padding, groups,
        bias, padding_mode, device=None, dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        _check_conv(in_channels, out_channels, stride, padding, groups, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = self._explicit_padding()
        if transposed:
            shape = (in_channels, out_channels // groups, *kernel_size)
        else:
            shape = (out_channels, in_channels // groups, *kernel_size)
        self.weight = Parameter(hearth.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(hearth.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _explicit_padding(self):
        """The padding as F.pad wants it: last dimension first, both sides."""
        if not isinstance(self.padding, str):
            return list(_reverse_repeat_tuple(self.padding, 2)) if self.padding_mode else None
        sides = [0, 0] * len(self.kernel_size)
        if self.padding == "same":
            places = range(len(self.kernel_size) - 1, -1, -1)
            for d, k, i in zip(self.dilation, self.kernel_size, places):
                total = d * (k - 1)
                sides[2 * i] = total // 2
                sides[2 * i + 1] = total - total // 2
        return sides

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self):
        s = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * len(self.padding):
            s += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.dilation):
            s += f", dilation={self.dilation}"
        if self.output_padding != (0,) * len(self.output_padding):
            s += f", output_padding={self.output_padding}"
        if self.groups != 1:
            s += f", groups={self.groups}"
        if self.bias is None:
            s += ", bias=False"
        if self.padding_mode != "zeros":
            s += f", padding_mode={self.padding_mode}"
        return s

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")

    def _padded(self, input):
        """(input, padding): padded here when the padding is not by zeros, which the convolution adds itself."""
        if self.padding_mode == "zeros":
            return input, self.padding
        input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        return input, (0,) * len(self.kernel_size)


def _conv_class(name, n, ntuple, function_name, doc):
    """The class of an n-dimensional convolution."""

    class Conv(_ConvNd):
        def __init__(
            self, in_channels: int, out_channels: int, kernel_size, stride=1, padding=0, dilation=1, groups: int = 1,
            bias: bool = True, padding_mode: str = "zeros", device=None, dtype=None,
        ) -> None:  # fmt: skip
            padding_ = padding if isinstance(padding, str) else ntuple(padding)
            super().__init__(
                in_channels, out_channels, ntuple(kernel_size), ntuple(stride), padding_, ntuple(dilation), False,
                ntuple(0), groups, bias, padding_mode, device=device, dtype=dtype,
            )  # fmt: skip

        def _conv_forward(self, input, weight, bias):
            input, padding = self._padded(input)
            return getattr(F, function_name)(input, weight, bias, self.stride, padding, self.dilation, self.groups)

        def forward(self, input):
            return self._conv_forward(input, self.weight, self.bias)

    Conv.__name__ = Conv.__qualname__ = name
    Conv.__doc__ = doc
    return Conv


Conv1d = _conv_class("Conv1d", 1, _single, "conv1d", "Convolution over [N, C, L] or [C, L].")
Conv2d = _conv_class("Conv2d", 2, _pair, "conv2d", "Convolution over [N, C, H, W] or [C, H, W].")
Conv3d = _conv_class("Conv3d", 3, _triple, "conv3d", "Convolution over [N, C, D, H, W] or [C, D, H, W].")


class _ConvTransposeNd(_ConvNd):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, transposed, output_padding, groups,
        bias, padding_mode, device=None, dtype=None,
    ) -> None:  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {self.__class__.__name__}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, transposed, output_padding, groups,
            bias, padding_mode, device=device, dtype=dtype,
        )  # fmt: skip

    def _output_padding(self, input, output_size, stride, padding, kernel_size, num_spatial_dims, dilation=None):
        """What must be added at the far side so that the result has `output_size`. Raises ValueError."""
        if output_size is None:
            return _single(self.output_padding)
        has_batch = input.dim() == num_spatial_dims + 2
        leading = 2 if has_batch else 1
        if len(output_size) == leading + num_spatial_dims:
            output_size = output_size[leading:]
        if len(output_size) != num_spatial_dims:
            raise ValueError(
                f"ConvTranspose{num_spatial_dims}D: for {input.dim()}D input, output_size must have "
                f"{num_spatial_dims} or {leading + num_spatial_dims} elements (got {len(output_size)})"
            )
        low = []
        for d in range(num_spatial_dims):
            spread = dilation[d] if dilation is not None else 1
            size = (input.size(d + leading) - 1) * stride[d] - 2 * padding[d]
            low.append(size + spread * (kernel_size[d] - 1) + 1)
        high = [size + stride[d] - 1 for d, size in enumerate(low)]
        if any(not a <= size <= b for a, size, b in zip(low, output_size, high)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {low} to {high} (for an input "
                f"of {input.size()[2:]})"
            )
        return [size - a for a, size in zip(low, output_size)]


def _conv_transpose_class(name, n, ntuple, function_name, doc):
    """The class of an n-dimensional transposed convolution."""

    class ConvTranspose(_ConvTransposeNd):
        def __init__(
            self, in_channels: int, out_channels: int, kernel_size, stride=1, padding=0, output_padding=0,
            groups: int = 1, bias: bool = True, dilation=1, padding_mode: str = "zeros", device=None, dtype=None,
        ) -> None:  # fmt: skip
            super().__init__(
                in_channels, out_channels, ntuple(kernel_size), ntuple(stride), ntuple(padding), ntuple(dilation), True,
                ntuple(output_padding), groups, bias, padding_mode, device=device, dtype=dtype,
            )  # fmt: skip

        def forward(self, input, output_size=None):
            if self.padding_mode != "zeros":
                raise ValueError(f"Only `zeros` padding mode is supported for {type(self).__name__}")
            extra = self._output_padding(
                input, output_size, self.stride, self.padding, self.kernel_size, n, self.dilation
            )
            return getattr(F, function_name)(
                input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
            )

    ConvTranspose.__name__ = ConvTranspose.__qualname__ = name
    ConvTranspose.__doc__ = doc
    return ConvTranspose


ConvTranspose1d = _conv_transpose_class(
    "ConvTranspose1d", 1, _single, "conv_transpose1d", "The transpose of Conv1d, over [N, C, L] or [C, L]."
)
ConvTranspose2d = _conv_transpose_class(
    "ConvTranspose2d", 2, _pair, "conv_transpose2d", "The transpose of Conv2d, over [N, C, H, W] or [C, H, W]."
)
ConvTranspose3d = _conv_transpose_class(
    "ConvTranspose3d", 3, _triple, "conv_transpose3d", "The transpose of Conv3d, over [N, C, D, H, W] or [C, D, H, W]."
)


class _LazyConvXdMixin(LazyModuleMixin):
    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs) -> None:
        if not self.has_uninitialized_params():
            return
        self.in_channels = self._get_in_channels(input)
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if self.transposed:
            shape = (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        else:
            shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        self.weight.materialize(shape)
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()

    def _get_in_channels(self, input):
        n = self._get_num_spatial_dims()
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {self.__class__.__name__}, but got "
                f"input of size: {input.shape}"
            )
        return input.shape[1] if input.dim() == n + 2 else input.shape[0]

    def _get_num_spatial_dims(self):
        return len(self.kernel_size)


def _lazy_class(name, base):
    """The form of a convolution that takes in_channels from its first input."""

    class Lazy(_LazyConvXdMixin, base):
        cls_to_become = base

        def _wait(self, out_channels, bias, device, dtype):
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            self.out_channels = out_channels
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)

    if issubclass(base, _ConvTransposeNd):

        def __init__(
            self, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1,
            padding_mode="zeros", device=None, dtype=None,
        ):  # fmt: skip
            super(Lazy, self).__init__(
                0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode,
                device=device, dtype=dtype,
            )  # fmt: skip
            self._wait(out_channels, bias, device, dtype)

    else:

        def __init__(
            self, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
            padding_mode="zeros", device=None, dtype=None,
        ):  # fmt: skip
            super(Lazy, self).__init__(
                0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device=device, dtype=dtype
            )
            self._wait(out_channels, bias, device, dtype)

    Lazy.__init__ = __init__
    Lazy.__name__ = Lazy.__qualname__ = name
    Lazy.__doc__ = f"A {base.__name__} whose in_channels is taken from the first input."
    return Lazy


LazyConv1d = _lazy_class("LazyConv1d", Conv1d)
LazyConv2d = _lazy_class("LazyConv2d", Conv2d)
LazyConv3d = _lazy_class("LazyConv3d", Conv3d)
LazyConvTranspose1d = _lazy_class("LazyConvTranspose1d", ConvTranspose1d)
LazyConvTranspose2d = _lazy_class("LazyConvTranspose2d", ConvTranspose2d)
LazyConvTranspose3d = _lazy_class("LazyConvTranspose3d", ConvTranspose3d)
