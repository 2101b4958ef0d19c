"""torch.autograd.gradcheck: derivatives of a function against differences of its values."""
import sys
import types

from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad, no_grad
from .._once import not_here


class GradcheckError(RuntimeError):
    """What gradcheck found to be wrong."""


def _tuple(value):
    return (value,) if isinstance(value, Tensor) else tuple(value)


def _outputs(func, inputs):
    tensors = (y for y in _tuple(func(*inputs)) if isinstance(y, Tensor))
    return tuple(y for y in tensors if y.is_floating_point() or y.dtype.is_complex)


def _parts(x):
    """Real numbers behind a tensor: its elements, or the real and imaginary parts of them, as a vector."""
    return _C.view_as_real(x.resolve_conj()).reshape(-1) if x.dtype.is_complex else x.reshape(-1)


def _numeric(func, inputs, x, eps):
    """For each output the matrix d(parts of the output) / d(parts of x), by central differences."""
    memory = x.detach()
    columns = []
    with no_grad():
        count = memory.numel() * (2 if memory.dtype.is_complex else 1)
        for i in range(count):
            values = []
            for sign in (1, -1):
                moved = memory.clone().contiguous()
                _parts(moved)[i] += sign * eps
                changed = [moved.requires_grad_(one.requires_grad) if one is x else one for one in inputs]
                values.append([_parts(y.detach()).clone() for y in _outputs(func, changed)])
            columns.append([(up - down) / (2 * eps) for up, down in zip(*values)])
    return [_C.stack([column[k] for column in columns], 1) for k in range(len(columns[0]))] if columns else None


def _analytic(func, inputs, x, k):
    """The same matrix for output k by backward, one row at a time."""
    from . import grad

    rows = []
    with enable_grad():
        y = _outputs(func, inputs)[k]
        count = y.numel() * (2 if y.dtype.is_complex else 1)
        for i in range(count):
            weight = _C.zeros(y.shape, dtype=y.dtype)
            _parts(weight)[i] = 1
            if y.requires_grad:
                found, = grad(y, x, weight, retain_graph=True, allow_unused=True)
            else:
                found = None
            # A gradient is conjugate: its parts are the derivatives by the parts of x.
            rows.append(_parts(_C.zeros(x.shape, dtype=x.dtype) if found is None else found.detach()))
    wide = x.numel() * (2 if x.dtype.is_complex else 1)
    return _C.stack(rows, 0) if rows else _C.zeros((0, wide), dtype=_parts(x).dtype)


def _compare(func, inputs, eps, atol, rtol, nondet_tol):
    checked = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of the them have "
                         "requires_grad=True.")
    for number, x in enumerate(checked):
        numeric = _numeric(func, inputs, x, eps)
        for k in range(len(_outputs(func, inputs))):
            analytic = _analytic(func, inputs, x, k)
            if not bool(((analytic - _analytic(func, inputs, x, k)).abs() <= nondet_tol).all()):
                raise GradcheckError(f"backward is not reproducible: two runs differ for output {k}, input {number}")
            if numeric is None or not analytic.numel():
                continue
            expected = numeric[k].to(analytic.dtype)
            if not bool(_C.allclose(analytic, expected, rtol, atol)):
                raise GradcheckError(f"Jacobian mismatch for output {k} with respect to input {number},\n"
                                     f"numerical:{expected}\nanalytical:{analytic}\n")


def gradcheck(func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0,
              check_undefined_grad=True, check_grad_dtypes=False, check_batched_grad=False,
              check_batched_forward_grad=False, check_forward_ad=False, check_backward_ad=True, fast_mode=False, masked=None):
    """Whether the derivatives of func at `inputs` (float64 or complex128) are those of its values.

    Every element of every input that requires gradients is moved by eps both ways. Raises GradcheckError (or returns
    False when raise_exception is off) at the first pair of matrices that differ by more than atol + rtol * value.
    fast_mode checks in full too; outputs without a gradient are not tried (check_undefined_grad).
    Example: gradcheck(torch.sin, torch.ones(3, dtype=torch.float64, requires_grad=True)).
    """
    if check_forward_ad or check_batched_grad or check_batched_forward_grad or check_grad_dtypes or masked:
        not_here("gradcheck of forward mode, of batched gradients, of dtypes or of masked tensors")
    inputs = _tuple(inputs)
    try:
        if check_backward_ad:
            _compare(func, inputs, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func, inputs, grad_outputs=None, *, eps=1e-6, atol=1e-5, rtol=1e-3, gen_non_contig_grad_outputs=False,
                  raise_exception=True, nondet_tol=0.0, check_undefined_grad=True, check_grad_dtypes=False,
                  check_batched_grad=False, check_fwd_over_rev=False, check_rev_over_rev=True, fast_mode=False,
                  masked=False):
    """gradcheck of func's gradients, as functions of its inputs and of the gradients of its outputs."""
    from . import grad

    if check_fwd_over_rev or check_batched_grad or check_grad_dtypes or gen_non_contig_grad_outputs or masked:
        not_here("gradgradcheck of forward mode, of batched gradients, of dtypes, of layouts or of masked tensors")
    inputs = _tuple(inputs)
    outputs = _outputs(func, inputs)
    if grad_outputs is None:
        weights = tuple(_C.randn(y.shape, dtype=y.dtype).requires_grad_() for y in outputs)
    else:
        weights = _tuple(grad_outputs)
    count = len(inputs)

    def gradients(*arguments):
        values, given = arguments[:count], arguments[count:]
        leaves = [x for x in values if isinstance(x, Tensor) and x.requires_grad]
        live = [(y, w) for y, w in zip(_outputs(func, values), given) if y.requires_grad]
        with enable_grad():
            found = grad([y for y, _ in live], leaves, [w for _, w in live], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    def with_graph(*arguments):
        with enable_grad():
            return gradients(*arguments)

    return gradcheck(with_graph, inputs + weights, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
                     nondet_tol=nondet_tol)


class _Callable(types.ModuleType):
    """torch.autograd.gradcheck is a module and a function of that name at once."""

    def __call__(self, *args, **kwargs):
        return gradcheck(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
