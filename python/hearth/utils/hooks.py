"""Hook handles, and the identity nodes that carry a module's full backward hooks."""

import warnings
import weakref

import hearth


class RemovableHandle:
    """A way to take a hook back: `handle.remove()`, or leaving a `with handle:` block.

    `hooks_dict` holds the hook under `handle.id`; `extra_dict` is one dict or a list of dicts that may hold that id too.
    """

    next_id = 0

    def __init__(self, hooks_dict, *, extra_dict=None):
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self.extra_dict_ref = tuple(weakref.ref(d) for d in _as_list(extra_dict))

    def remove(self):
        """Take the hook out of every dict that holds it; a second call does nothing."""
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        if self.extra_dict_ref is None:
            return self.hooks_dict_ref(), self.id
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state):
        from collections import OrderedDict

        # A dict that was dropped is replaced by one that nobody else holds, so `remove` stays harmless.
        hooks = OrderedDict() if state[0] is None else state[0]
        self.hooks_dict_ref = weakref.ref(hooks)
        self.id = state[1]
        extra = state[2] if len(state) > 2 and state[2] is not None else ()
        self.extra_dict_ref = tuple(weakref.ref(OrderedDict() if d is None else d) for d in extra)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.remove()


def _as_list(extra_dict):
    if extra_dict is None:
        return ()
    return extra_dict if isinstance(extra_dict, list) else (extra_dict,)


def unserializable_hook(f):
    """Mark `f` as a hook that is not written when a tensor is saved."""
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor):
    """Warn for each backward hook of `tensor` that saving it would lose."""
    for hook in (getattr(tensor, "_backward_hooks", None) or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the "
                "function with @torch.utils.hooks.unserializable_hook to suppress this warning",
                stacklevel=2,
            )


def _mark(tensors):
    """Pass `tensors` through one identity node; its gradient arrives for all of them at once."""
    global _identity
    if _identity is None:

        class BackwardHookFunction(hearth.autograd.Function):
            @staticmethod
            def forward(ctx, *args):
                ctx.mark_non_differentiable(*(a for a in args if not a.requires_grad))
                return args

            @staticmethod
            def backward(ctx, *grads):
                return grads

        _identity = BackwardHookFunction
    return _identity.apply(*tensors)


_identity = None


class BackwardHook:
    """The full backward hooks of one call of a module: they see the gradients of its inputs and of its outputs.

    An identity node before the module and one after it mark where the gradients are looked at.
    """

    def __init__(self, module, user_hooks, user_pre_hooks):
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self.grad_outputs = None
        self.n_inputs = -1
        self.n_outputs = -1
        self.input_tensors_index = None
        self.output_tensors_index = None

    def setup_input_hook(self, args):
        """Return `args` with its tensors passed through the first marker."""

        def attach(node):
            node.register_hook(self._on_grad_inputs)

        args, self.input_tensors_index = self._through_marker(attach, args)
        self.n_inputs = len(args)
        return args

    def setup_output_hook(self, outputs):
        """Return the module's result, a tensor or a tuple, passed through the second marker."""
        is_tuple = isinstance(outputs, tuple)
        values, self.output_tensors_index = self._through_marker(
            lambda node: node.register_prehook(self._on_grad_outputs), outputs if is_tuple else (outputs,)
        )
        self.n_outputs = len(values)
        if not is_tuple:
            return values[0]
        # A named tuple takes its fields one by one.
        return type(outputs)(*values) if hasattr(outputs, "_fields") else values

    def _through_marker(self, attach, args):
        places = [i for i, a in enumerate(args) if isinstance(a, hearth.Tensor)]
        tensors = [args[i] for i in places]
        if not (hearth.is_grad_enabled() and any(t.requires_grad for t in tensors)):
            return args, None
        marked = _mark(tensors)
        nodes = [t.grad_fn for t in marked if t.grad_fn is not None]
        if not nodes:
            raise RuntimeError("Error while setting up backward hooks.")
        attach(nodes[0])
        result = list(args)
        for i, t in zip(places, marked):
            result[i] = t
        return tuple(result), places

    def _on_grad_outputs(self, grad_output):
        # Gradients of values that are no tensors are seen as None, at their places.
        full = _spread(grad_output, self.output_tensors_index, self.n_outputs)
        for hook in self.user_pre_hooks:
            changed = hook(self.module, full)
            if changed is None:
                continue
            changed = changed if isinstance(changed, tuple) else (changed,)
            if len(changed) != len(full):
                raise RuntimeError(
                    "Backward pre hook returned an invalid number of grad_output, "
                    f"got {len(changed)}, but expected {len(full)}"
                )
            full = changed
        self.grad_outputs = full
        local = tuple(full[i] for i in self.output_tensors_index)
        if self.input_tensors_index is None:
            self._without_inputs()
        return local

    def _without_inputs(self):
        # No input needs a gradient, so nothing comes back through the first marker: the hooks run here.
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients.",
            stacklevel=5,
        )
        nothing = tuple([None] * self.n_inputs)
        for hook in self.user_hooks:
            changed = hook(self.module, nothing, self.grad_outputs)
            if changed is not None and not (isinstance(changed, tuple) and all(v is None for v in changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
        self.grad_outputs = None

    def _on_grad_inputs(self, grad_input, _):
        if self.grad_outputs is None:
            # Reached without the second marker: the gradient of an input was asked for around the module's output.
            return None
        full = _spread(grad_input, self.input_tensors_index, self.n_inputs)
        for hook in self.user_hooks:
            changed = hook(self.module, full, self.grad_outputs)
            if changed is None:
                continue
            changed = changed if isinstance(changed, tuple) else (changed,)
            if len(changed) != len(full):
                raise RuntimeError(
                    "Backward hook returned an invalid number of grad_input, "
                    f"got {len(changed)}, but expected {len(full)}"
                )
            full = changed
        self.grad_outputs = None
        return tuple(full[i] for i in self.input_tensors_index)


def _spread(values, places, count):
    full = [None] * count
    for i, v in zip(places, values):
        full[i] = v
    return tuple(full)
