"""Padding of the last 1, 2 or 3 dimensions by a constant, a reflection, the border or the far side."""

from .. import functional as F
from .module import Module
from .utils import _ntuple, _pair, _quadruple

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip

_six = _ntuple(6)


class _Pad(Module):
    __constants__ = ["padding"]
    _mode = "constant"

    def forward(self, input):
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_Pad):
    _mode = "circular"

    def _check_input_dim(self, input):
        raise NotImplementedError

    def forward(self, input):
        self._check_input_dim(input)
        return F.pad(input, self.padding, "circular")


def _expect_dims(input, n):
    if input.dim() not in (n, n + 1):
        raise ValueError(f"expected {n}D or {n + 1}D input (got {input.dim()}D input)")


class CircularPad1d(_CircularPadNd):
    """Pad [N, C, L] with what is at the other end; padding: (left, right) or one number."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _pair(padding)

    def _check_input_dim(self, input) -> None:
        _expect_dims(input, 2)


class CircularPad2d(_CircularPadNd):
    """Pad [N, C, H, W] with what is at the other end; padding: (left, right, top, bottom) or one number."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _quadruple(padding)

    def _check_input_dim(self, input) -> None:
        _expect_dims(input, 3)


class CircularPad3d(_CircularPadNd):
    """Pad [N, C, D, H, W] with what is at the other end; padding: six numbers or one."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _six(padding)

    def _check_input_dim(self, input) -> None:
        _expect_dims(input, 4)


class _ConstantPadNd(Module):
    __constants__ = ["padding", "value"]

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Pad [N, C, L] with `value`; padding: (left, right) or one number."""

    def __init__(self, padding, value: float) -> None:
        super().__init__(value)
        self.padding = _pair(padding)


class ConstantPad2d(_ConstantPadNd):
    """Pad [N, C, H, W] with `value`; padding: (left, right, top, bottom) or one number."""

    def __init__(self, padding, value: float) -> None:
        super().__init__(value)
        self.padding = _quadruple(padding)


class ConstantPad3d(_ConstantPadNd):
    """Pad [N, C, D, H, W] with `value`; padding: six numbers or one."""

    def __init__(self, padding, value: float) -> None:
        super().__init__(value)
        self.padding = _six(padding)


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Pad [N, C, L] with its reflection at the border."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _pair(padding)


class ReflectionPad2d(_ReflectionPadNd):
    """Pad [N, C, H, W] with its reflection at the border."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _quadruple(padding)


class ReflectionPad3d(_ReflectionPadNd):
    """Pad [N, C, D, H, W] with its reflection at the border."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _six(padding)


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Pad [N, C, L] with its border."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _pair(padding)


class ReplicationPad2d(_ReplicationPadNd):
    """Pad [N, C, H, W] with its border."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _quadruple(padding)


class ReplicationPad3d(_ReplicationPadNd):
    """Pad [N, C, D, H, W] with its border."""

    def __init__(self, padding) -> None:
        super().__init__()
        self.padding = _six(padding)


class ZeroPad1d(ConstantPad1d):
    """Pad [N, C, L] with zeros."""

    def __init__(self, padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Pad [N, C, H, W] with zeros."""

    def __init__(self, padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Pad [N, C, D, H, W] with zeros."""

    def __init__(self, padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"
