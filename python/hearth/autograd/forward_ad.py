"""Forward mode: dual numbers (x, tangent). A dual tensor is a node of the ordinary graph; the tangent of a result is
found by differentiating v^T J once more in v (Griewank and Walther 2008, section 3.1; the trick of J. Townsend 2017)."""
from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad

_levels = []


class UnpackedDualTensor(tuple):
    """(primal, tangent), with names."""

    __slots__ = ()

    def __new__(cls, primal, tangent):
        return tuple.__new__(cls, (primal, tangent))

    primal = property(lambda self: self[0])
    tangent = property(lambda self: self[1])

    def __repr__(self):
        return f"UnpackedDualTensor(primal={self[0]}, tangent={self[1]})"


class dual_level:
    """A block in which tensors may have tangents."""

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *_):
        exit_dual_level()


def enter_dual_level():
    """Opens a level; only one may be open."""
    if _levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _levels.append([])
    return len(_levels) - 1


def exit_dual_level(*, level=None):
    """Closes the level; its tangents are gone."""
    if not _levels:
        raise RuntimeError("Trying to exit a forward AD level that was not entered.")
    _levels.pop()


def make_dual(tensor, tangent, *, level=None):
    """A tensor with the values of `tensor` and a tangent of its shape."""
    if not _levels:
        raise RuntimeError("Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() "
                           "first.")
    if not (tensor.is_floating_point() or tensor.is_complex()):
        raise ValueError(f"Expected primal to be floating point or complex, but got: {tensor.dtype}")
    if not (tangent.is_floating_point() or tangent.is_complex()):
        raise ValueError(f"Expected tangent to be floating point or complex, but got: {tangent.dtype}")
    if tensor.shape != tangent.shape:
        raise RuntimeError(f"Expected tangent to have the same size as primal: {tuple(tangent.shape)} and {tuple(tensor.shape)}")
    with enable_grad():
        dual = tensor.view_as(tensor) if tensor.requires_grad else tensor.detach().requires_grad_()
    _levels[-1].append((dual, tangent))
    return dual


def unpack_dual(tensor, *, level=None):
    """The values and the tangent of a tensor; the tangent is None when it does not depend on a dual one."""
    if not _levels:
        return UnpackedDualTensor(tensor, None)
    for dual, tangent in _levels[-1]:
        if dual is tensor:
            return UnpackedDualTensor(tensor.detach(), tangent)
    if not tensor.requires_grad:
        return UnpackedDualTensor(tensor, None)
    duals = [d for d, _ in _levels[-1]]
    with enable_grad():
        dummy = _C.zeros_like(tensor).requires_grad_()
        first = _C._grad([tensor], duals, [dummy], True, True, True)
        live = [(g, t) for g, (_, t) in zip(first, _levels[-1]) if g is not None]
        if not live:
            return UnpackedDualTensor(tensor.detach(), None)
        linked = [(g, t) for g, t in live if g.requires_grad]
        if not linked:
            return UnpackedDualTensor(tensor.detach(), _C.zeros_like(tensor))
        found = _C._grad([g for g, _ in linked], [dummy], [t.conj() if t.is_complex() else t for _, t in linked], True, True,
                         True)[0]
    if found is None:
        return UnpackedDualTensor(tensor.detach(), _C.zeros_like(tensor))
    keep = any(t.requires_grad for _, t in linked)
    return UnpackedDualTensor(tensor.detach(), found if keep else found.detach())


__all__ = ["UnpackedDualTensor", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual", "dual_level", "Tensor"]
