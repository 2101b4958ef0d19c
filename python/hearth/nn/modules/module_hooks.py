"""Hooks of modules: how they are registered, on one module or on all, and the call that runs them."""

import warnings
from collections import OrderedDict

import hearth
from hearth.utils.hooks import BackwardHook, RemovableHandle

forward_pre_hooks = OrderedDict()
forward_hooks = OrderedDict()
forward_hooks_always_called = OrderedDict()
forward_hooks_with_kwargs = OrderedDict()
backward_pre_hooks = OrderedDict()
backward_hooks = OrderedDict()
# Whether `backward_hooks` hold full backward hooks (None: nothing was registered yet).
full_backward = [None]
# The dicts that make a call take the long way when one of them holds something.
CALL_HOOKS = (forward_pre_hooks, forward_hooks, backward_pre_hooks, backward_hooks)

buffer_registration_hooks = OrderedDict()
parameter_registration_hooks = OrderedDict()
module_registration_hooks = OrderedDict()


def _add(hooks, hook, prepend=False, extra=(), flags=()):
    handle = RemovableHandle(hooks, extra_dict=list(extra))
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_module_buffer_registration_hook(hook) -> RemovableHandle:
    """Call `hook(module, name, buffer)` whenever a module registers a buffer; a result that is not None replaces it."""
    return _add(buffer_registration_hooks, hook)


def register_module_parameter_registration_hook(hook) -> RemovableHandle:
    """Call `hook(module, name, parameter)` on each registration; a result that is not None replaces the parameter."""
    return _add(parameter_registration_hooks, hook)


def register_module_module_registration_hook(hook) -> RemovableHandle:
    """Call `hook(module, name, submodule)` on each registration; a result that is not None replaces the submodule."""
    return _add(module_registration_hooks, hook)


def register_module_forward_pre_hook(hook) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module; a result that is not None replaces the args."""
    return _add(forward_pre_hooks, hook)


def register_module_forward_hook(hook, *, with_kwargs: bool = False, always_call: bool = False) -> RemovableHandle:
    """Call `hook(module, args[, kwargs], output)` after the forward of every module, also when it raised if asked to."""
    flags = [forward_hooks_with_kwargs] if with_kwargs else []
    if always_call:
        flags.append(forward_hooks_always_called)
    return _add(forward_hooks, hook, extra=(forward_hooks_with_kwargs, forward_hooks_always_called), flags=flags)


def register_module_backward_hook(hook) -> RemovableHandle:
    """Call `hook` on the last node of every module's forward (the old kind; see the full backward hook)."""
    if full_backward[0] is True:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )
    full_backward[0] = False
    return _add(backward_hooks, hook)


def register_module_full_backward_pre_hook(hook) -> RemovableHandle:
    """Call `hook(module, grad_output)` before the backward of every module."""
    return _add(backward_pre_hooks, hook)


def register_module_full_backward_hook(hook) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` when the gradients of every module's inputs are known."""
    if full_backward[0] is False:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )
    full_backward[0] = True
    return _add(backward_hooks, hook)


def register_full_backward_pre_hook(self, hook, prepend: bool = False) -> RemovableHandle:
    """Call `hook(module, grad_output)` before this module's backward; a result that is not None replaces grad_output."""
    return _add(self._backward_pre_hooks, hook, prepend)


def _backward_kind(self, full):
    if self._is_full_backward_hook is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks on a single Module. "
            "Please use only one of them."
        )
    self._is_full_backward_hook = full


def register_backward_hook(self, hook) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` on the last node of the forward (the old kind)."""
    _backward_kind(self, False)
    return _add(self._backward_hooks, hook)


def register_full_backward_hook(self, hook, prepend: bool = False) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)`; a result that is not None replaces grad_input."""
    _backward_kind(self, True)
    return _add(self._backward_hooks, hook, prepend)


def register_forward_pre_hook(self, hook, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
    """Call `hook(module, args)` before forward, or `hook(module, args, kwargs)` which may return (args, kwargs)."""
    flags = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
    return _add(self._forward_pre_hooks, hook, prepend, [self._forward_pre_hooks_with_kwargs], flags)


def register_forward_hook(
    self, hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args[, kwargs], output)` after forward, also after an error with `always_call`."""
    flags = [self._forward_hooks_with_kwargs] if with_kwargs else []
    if always_call:
        flags.append(self._forward_hooks_always_called)
    extra = [self._forward_hooks_with_kwargs, self._forward_hooks_always_called]
    return _add(self._forward_hooks, hook, prepend, extra, flags)


def _get_backward_hooks(self):
    """The backward hooks that apply to this module: (full ones, old ones)."""
    full, old = [], []
    if full_backward[0] is not None:
        (full if full_backward[0] else old).extend(backward_hooks.values())
    if self._is_full_backward_hook is not None:
        (full if self._is_full_backward_hook else old).extend(self._backward_hooks.values())
    return full, old


def _get_backward_pre_hooks(self):
    """The backward pre-hooks that apply to this module."""
    return [*backward_pre_hooks.values(), *self._backward_pre_hooks.values()]


class _WrappedHook:
    """A hook that remembers, weakly, the module it belongs to, so that it can be pickled with it."""

    def __init__(self, hook, module=None):
        import functools
        import weakref

        self.hook = hook
        functools.update_wrapper(self, hook)
        self.with_module = module is not None
        self.module = None if module is None else weakref.ref(module)

    def __call__(self, *args, **kwargs):
        if not self.with_module:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self):
        state = {"hook": self.hook, "with_module": self.with_module}
        if self.with_module:
            state["module"] = self.module()
        return state

    def __setstate__(self, state):
        import weakref

        self.hook = state["hook"]
        self.with_module = state["with_module"]
        if self.with_module:
            if state["module"] is None:
                raise RuntimeError("You are trying to revive the hook of a dead Module!")
            self.module = weakref.ref(state["module"])


def _run_pre_hooks(module, args, kwargs):
    with_kwargs = module._forward_pre_hooks_with_kwargs
    for key, hook in (*forward_pre_hooks.items(), *module._forward_pre_hooks.items()):
        if key in with_kwargs:
            result = hook(module, args, kwargs)
            if result is None:
                continue
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}."
                )
            args, kwargs = result
        else:
            result = hook(module, args)
            if result is not None:
                args = result if isinstance(result, tuple) else (result,)
    return args, kwargs


def _run_forward_hook(module, key, hook, args, kwargs, result):
    if key in module._forward_hooks_with_kwargs or key in forward_hooks_with_kwargs:
        changed = hook(module, args, kwargs, result)
    else:
        changed = hook(module, args, result)
    return result if changed is None else changed


def _attach_old_backward_hooks(module, hooks, args, result):
    value = result
    while not isinstance(value, hearth.Tensor):
        if isinstance(value, dict):
            value = next(v for v in value.values() if isinstance(v, hearth.Tensor))
        else:
            value = value[0]
    node = value.grad_fn
    if node is not None:
        for hook in hooks:
            node.register_hook(_WrappedHook(hook, module))
        _maybe_warn_non_full_backward_hook(module, args, result, node)


def _maybe_warn_non_full_backward_hook(self, inputs, result, grad_fn):
    """Warn where an old backward hook would see only a part of the gradients."""
    start = "Using a non-full backward hook when "
    end = " Please use register_full_backward_hook to get the documented behavior."
    nodes = set()
    if not isinstance(result, (tuple, hearth.Tensor)):
        text = "the forward returns something that is not a Tensor or a tuple of Tensors, is not supported."
    elif isinstance(result, tuple) and not all(isinstance(r, hearth.Tensor) for r in result):
        text = "the forward returns a tuple of something other than Tensors is not supported."
    elif isinstance(result, tuple) and len(result) != 1:
        text = "the forward contains multiple autograd Nodes is deprecated and will be removed in future versions."
    elif not all(isinstance(i, hearth.Tensor) for i in inputs):
        text = "the forward takes something that is not a Tensor as an input is not supported."
    else:
        nodes = {i.grad_fn for i in inputs if i.grad_fn is not None}
        own = {n[0] for n in grad_fn.next_functions}
        if not nodes or own == nodes:
            return
        text = "the forward contains multiple autograd Nodes is deprecated and will be removed in future versions."
    warnings.warn(start + text + end, FutureWarning, stacklevel=2)


def call_with_hooks(self, *args, **kwargs):
    """Run forward with every hook that applies to this module; the call of a module without hooks does not come here."""
    called = set()
    full, old, pre = [], [], []
    if self._backward_hooks or backward_hooks:
        full, old = self._get_backward_hooks()
    if self._backward_pre_hooks or backward_pre_hooks:
        pre = self._get_backward_pre_hooks()
    result = None
    try:
        args, kwargs = _run_pre_hooks(self, args, kwargs)
        marker = BackwardHook(self, full, pre) if full or pre else None
        if marker is not None:
            args = marker.setup_input_hook(args)
        result = self.forward(*args, **kwargs)
        for key, hook in (*forward_hooks.items(), *self._forward_hooks.items()):
            called.add(key)
            result = _run_forward_hook(self, key, hook, args, kwargs, result)
        if marker is not None:
            if not isinstance(result, (hearth.Tensor, tuple)):
                warnings.warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                    f"received {type(result)}",
                    stacklevel=2,
                )
            result = marker.setup_output_hook(result)
        if old:
            _attach_old_backward_hooks(self, old, args, result)
        return result
    except Exception:
        _run_always_called(self, called, args, kwargs, result)
        raise


def _run_always_called(module, called, args, kwargs, result):
    for hooks, always in (
        (forward_hooks, forward_hooks_always_called),
        (module._forward_hooks, module._forward_hooks_always_called),
    ):
        for key, hook in hooks.items():
            if key not in always or key in called:
                continue
            try:
                result = _run_forward_hook(module, key, hook, args, kwargs, result)
            except Exception as error:
                which = "global module" if hooks is forward_hooks else "module"
                warnings.warn(
                    f"{which} forward hook with ``always_call=True`` raised an exception that was silenced as another "
                    f"error was raised in forward: {error}",
                    stacklevel=2,
                )
