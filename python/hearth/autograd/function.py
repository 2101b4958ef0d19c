"""autograd.Function: an op of one's own, forward and backward in Python."""
from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad, no_grad


class FunctionCtx:
    """What a Function's forward leaves for its backward."""

    def __init__(self):
        self._to_save = ()
        self._saved = None
        self._dirty = ()
        self._non_differentiable = ()
        self._materialize = True
        self._node = None
        self.needs_input_grad = ()

    def save_for_backward(self, *tensors):
        """Keeps inputs or outputs; anything else belongs on ctx as an attribute. A later call replaces an earlier one."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(f"save_for_backward can only save variables, but argument is of type {type(t).__name__}")
        self._to_save = tensors

    def save_for_forward(self, *tensors):
        """Keeps tensors for `jvp`."""
        self._for_forward = tensors

    def mark_dirty(self, *tensors):
        """Says which inputs forward wrote into."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors):
        """Says which outputs have no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value):
        """Whether backward sees zeros (default) or None where no gradient arrived."""
        self._materialize = value

    @property
    def saved_tensors(self):
        """What save_for_backward kept; raises when one was written in place since, or the graph was freed."""
        if self._saved is None:
            if self._node is None:
                return tuple(self._to_save)
            raise RuntimeError(f"{self._name}: Trying to backward through the graph a second time (or directly access "
                               "saved tensors after they have already been freed). Specify retain_graph=True the first time")
        node = self._grad_fn()
        return tuple(None if s is None else _C._unpack_saved(s, node) for s in self._saved)

    saved_variables = saved_tensors

    @property
    def next_functions(self):
        """The nodes behind this one."""
        return self._grad_fn().next_functions

    # What the engine calls.

    def _run_backward(self, *grads):
        if self._materialize:
            grads = tuple(_C.zeros(shape, dtype=dtype) if g is None and shape is not None else g
                          for g, (shape, dtype) in zip(grads, self._outputs))
        cls = self._cls
        backward = cls.backward
        if backward is Function.backward:
            backward = cls.vjp
            if backward is Function.vjp:
                raise NotImplementedError(f"{cls.__name__}: You must implement either the backward or vjp method for your "
                                          "custom autograd.Function to use it with backward mode AD.")
        result = backward(self, *grads)
        result = result if isinstance(result, tuple) else tuple(result) if isinstance(result, list) else (result,)
        count = len(self._tensor_inputs)
        if len(result) > count and all(r is None for r in result[count:]):
            result = result[:count]
        if len(result) != count:
            raise RuntimeError(f"function {self._name} returned an incorrect number of gradients (expected {count}, got "
                               f"{len(result)})")
        fixed = []
        for i, (gradient, meta) in enumerate(zip(result, self._tensor_inputs)):
            if meta is None:
                if gradient is not None:
                    raise RuntimeError(f"function {self._name} returned a gradient different from None at position {i + 1}, "
                                       "but the corresponding forward input was not a Variable")
                continue
            fixed.append(_fit(self._name, i, gradient, meta))
        return tuple(fixed)

    def _release(self):
        self._saved = None


def _fit(name, i, gradient, meta):
    """The gradient with the input's shape and dtype."""
    if gradient is None:
        return None
    if not isinstance(gradient, Tensor):
        raise TypeError(f"{name}: gradient {i} must be a Tensor or None: got {type(gradient).__name__}")
    shape, dtype = meta
    if gradient.shape != shape:
        try:
            gradient = gradient.sum_to_size(shape)
        except RuntimeError:
            raise RuntimeError(f"Function {name} returned an invalid gradient at index {i} - got {list(gradient.shape)} but "
                               f"expected shape compatible with {list(shape)}") from None
    if gradient.dtype is not dtype:
        if gradient.dtype.is_complex and not dtype.is_complex:
            gradient = gradient.real
        gradient = gradient.to(dtype)
    return gradient


class _SingleLevelFunction:
    """Base of Function, kept apart as in PyTorch."""


class Function(_SingleLevelFunction):
    """Base of custom ops: subclasses have static `forward(ctx, *args)` (or `forward(*args)` with `setup_context(ctx,
    inputs, output)`) and `backward(ctx, *grads)`, and are called by `apply`.

    Example:
        class Exp(Function):
            @staticmethod
            def forward(ctx, x):
                y = x.exp(); ctx.save_for_backward(y); return y
            @staticmethod
            def backward(ctx, dy):
                (y,) = ctx.saved_tensors; return dy * y
        y = Exp.apply(x)
    """

    generate_vmap_rule = False

    def __init__(self, *args, **kwargs):
        raise RuntimeError(f"{type(self).__name__} should not be instantiated. Methods on autograd functions are all static, "
                           "so you should invoke them on the class itself: use apply")

    @staticmethod
    def forward(*args, **kwargs):
        """The op itself."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Fills ctx when `forward` has no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """The gradients of the inputs."""
        raise NotImplementedError

    @staticmethod
    def vjp(ctx, *grad_outputs):
        """Another name of backward."""
        raise NotImplementedError

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """The forward-mode derivative."""
        raise NotImplementedError("You must implement the jvp function for custom autograd.Function to use it with forward "
                                  "mode AD.")

    @classmethod
    def apply(cls, *args, **kwargs):
        """Runs the op and puts it into the graph."""
        if isinstance(cls.__dict__.get("forward"), type(lambda: 0)):
            raise RuntimeError(f"{cls.__name__}: Legacy autograd function with non-static forward method is deprecated. "
                               "Please use new-style autograd function with static forward method.")
        ctx = _context_class(cls)()
        ctx._cls = cls
        ctx._name = cls.__name__ + "Backward"
        tensors = [a if isinstance(a, Tensor) else None for a in args]
        ctx.needs_input_grad = tuple(t is not None and t.requires_grad for t in tensors)
        recording = _C.is_grad_enabled() and any(ctx.needs_input_grad)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                output = cls.forward(ctx, *args, **kwargs)
            else:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
        single = not isinstance(output, (tuple, list))
        outputs = [output] if single else list(output)
        if recording:
            _record(ctx, tensors, outputs)
        elif ctx._dirty:
            for t in ctx._dirty:
                _C._bump_version(t)
        return outputs[0] if single else tuple(outputs) if isinstance(output, tuple) else outputs


InplaceFunction = Function


def _context_class(cls):
    # Methods that a Function defines for itself are reachable through ctx.
    made = cls.__dict__.get("_ctx_class")
    if made is None:
        made = type(cls.__name__ + "Ctx", (FunctionCtx,), {})
        cls._ctx_class = made
    return made


def _record(ctx, tensors, outputs):
    dirty = {id(t) for t in ctx._dirty}
    inputs = {id(t): t for t in tensors if t is not None}
    plain = {id(t) for t in ctx._non_differentiable}
    attached = []
    replaced = {}
    for i, y in enumerate(outputs):
        differentiable = isinstance(y, Tensor) and id(y) not in plain and (y.dtype.is_floating_point or y.dtype.is_complex)
        if differentiable and id(y) in dirty:
            if y.is_leaf and y.requires_grad:
                raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
            _C._bump_version(y)
        elif isinstance(y, Tensor) and (id(y) in inputs or not differentiable):
            if differentiable or id(y) in inputs:
                fresh = y.detach()
                replaced[id(y)] = fresh
                outputs[i] = y = fresh
        elif differentiable and y.grad_fn is not None or differentiable and y._base is not None:
            outputs[i] = y = y.detach()
        attached.append(y if differentiable else None)
    ctx._outputs = [(y.shape, y.dtype) if y is not None else (None, None) for y in attached]
    ctx._tensor_inputs = [None if t is None else (t.shape, t.dtype) for t in tensors]
    saving = list(ctx._to_save)
    output_place = {id(y): i for i, y in enumerate(attached) if y is not None}
    saved = [None if t is None or id(t) in output_place else _C._save_tensor(t, False, 0) for t in saving]
    _C._attach_function(ctx._name, ctx, [t for t in tensors if t is not None], attached)
    for i, t in enumerate(saving):
        if t is not None and id(t) in output_place:
            saved[i] = _C._save_tensor(t, True, output_place[id(t)])
    first = next((y for y in attached if y is not None), None)
    ctx._to_save = ()
    ctx._saved = saved
    if first is None:
        ctx._grad_fn = lambda: None
        return
    ctx._node = True
    from weakref import ref

    holder = ref(first)

    def grad_fn():
        if ctx.__dict__.get("_running") is not None:
            return ctx._running
        alive = holder()
        return alive.grad_fn if alive is not None else None

    ctx._grad_fn = grad_fn


def once_differentiable(function):
    """A backward whose own derivative is refused."""
    from functools import wraps

    @wraps(function)
    def wrapped(ctx, *grads):
        with no_grad():
            result = function(ctx, *grads)
        if not _C.is_grad_enabled() or not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return result
        single = not isinstance(result, tuple)
        marked = tuple(_Refuse.apply(r.detach().requires_grad_()) if isinstance(r, Tensor) else r
                       for r in ((result,) if single else result))
        return marked[0] if single else marked

    return wrapped


class _Refuse(Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


class NestedIOFunction(Function):
    """Name kept for programs that look for it."""


__all__ = ["Function", "FunctionCtx", "InplaceFunction", "once_differentiable", "enable_grad"]
