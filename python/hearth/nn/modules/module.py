"""Module: the base class of all layers and models."""

from collections import OrderedDict

import hearth

from ..parameter import Buffer, Parameter, is_lazy
from . import module_convert, module_hooks, module_state
from .module_hooks import (
    CALL_HOOKS,
    _WrappedHook,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from .module_state import _EXTRA_STATE_KEY_SUFFIX, _IncompatibleKeys

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_HOOK_DICTS = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)
_global_pre, _global_forward, _global_backward_pre, _global_backward = CALL_HOOKS


def _typename(value):
    if isinstance(value, hearth.Tensor):
        return value.type()
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _addindent(text, spaces):
    first, *rest = text.split("\n")
    return "\n".join([first, *(spaces * " " + line for line in rest)])


def _has_any_global_hook():
    return any(CALL_HOOKS) or bool(module_hooks.forward_hooks_always_called)


def _registered(hooks, module, name, value):
    for hook in hooks.values():
        changed = hook(module, name, value)
        if changed is not None:
            value = changed
    return value


def _forward_unimplemented(self, *input):
    """Compute the result of a call; every module defines its own."""
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


class Module:
    """A part of a model: it owns parameters, buffers and other modules, and computes `forward`.

    Example: class Net(Module) with `self.fc = Linear(4, 2)` in `__init__` and `return self.fc(x)` in `forward`.
    """

    dump_patches = False
    _version = 1
    training: bool
    call_super_init = False
    _compiled_call_impl = None

    def __init__(self, *args, **kwargs):
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
                )
        d = self.__dict__
        d["training"] = True
        d["_parameters"] = {}
        d["_buffers"] = {}
        d["_non_persistent_buffers_set"] = set()
        d["_is_full_backward_hook"] = None
        for name in _HOOK_DICTS:
            d[name] = OrderedDict()
        d["_modules"] = {}
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        hearth._C._set_module_slots(cls)

    forward = _forward_unimplemented

    # Calling -------------------------------------------------------------------------------------------------------

    def _call_impl(self, *args, **kwargs):
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or _global_forward
            or _global_pre
            or _global_backward
            or _global_backward_pre
        ):
            return module_hooks.call_with_hooks(self, *args, **kwargs)
        return self.forward(*args, **kwargs)

    __call__ = _wrapped_call_impl = _call_impl

    def compile(self, *args, **kwargs):
        """Accept the request to compile the forward: hearth runs it as it is (`hearth.compile` says so once)."""
        hearth.compile(self._call_impl, *args, **kwargs)

    # Attributes ----------------------------------------------------------------------------------------------------

    def __getattr__(self, name):
        d = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            values = d.get(table)
            if values is not None and name in values:
                return values[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _forget(self, name, *tables):
        """Take `name` out of the given tables, so that it can be registered in another."""
        d = self.__dict__
        for table in tables:
            values = d if table == "__dict__" else d.get(table)
            if values is None or name not in values:
                continue
            if isinstance(values, set):
                values.discard(name)
            else:
                del values[name]

    def __setattr__(self, name, value):
        d = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in d:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "__dict__", "_buffers", "_modules", "_non_persistent_buffers_set")
            self.register_parameter(name, value)
            return
        params = d.get("_parameters")
        if params is not None and name in params:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as parameter '{name}' "
                    "(torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
            return
        modules = d.get("_modules")
        if isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "__dict__", "_parameters", "_buffers", "_non_persistent_buffers_set")
            modules[name] = _registered(module_hooks.module_registration_hooks, self, name, value)
        elif modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as child module '{name}' "
                    "(torch.nn.Module or None expected)"
                )
            modules[name] = _registered(module_hooks.module_registration_hooks, self, name, value)
        else:
            self._set_buffer_or_plain(name, value)

    def _set_buffer_or_plain(self, name, value):
        buffers = self.__dict__.get("_buffers")
        is_new_buffer = isinstance(value, hearth.Tensor) and isinstance(value, Buffer)
        if not is_new_buffer and (buffers is None or name not in buffers):
            object.__setattr__(self, name, value)
            return
        if value is not None and not isinstance(value, hearth.Tensor):
            raise TypeError(
                f"cannot assign '{_typename(value)}' as buffer '{name}' "
                "(torch.nn.Buffer, torch.Tensor or None expected)"
            )
        if buffers is None:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        if is_new_buffer:
            self._forget(name, "__dict__", "_parameters", "_modules", "_non_persistent_buffers_set")
        if is_new_buffer and name not in buffers:
            self.register_buffer(name, value, getattr(value, "persistent", True))
        else:
            value = _registered(module_hooks.buffer_registration_hooks, self, name, value)
            buffers[name] = value

    def __delattr__(self, name):
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            super().__delattr__(name)

    def __dir__(self):
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in names if not name[0].isdigit())

    def __getstate__(self):
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        # Modules pickled by older versions lack the tables that came later.
        for name in _HOOK_DICTS:
            if name not in self.__dict__:
                self.__dict__[name] = OrderedDict()
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)

    # Registration --------------------------------------------------------------------------------------------------

    def _check_name(self, kind, name, table):
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[table]:
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name: str, tensor, persistent: bool = True) -> None:
        """Add a tensor that is state but no parameter; without `persistent` it stays out of state_dict.

        Raises KeyError for a name that is taken, has a dot or is empty; TypeError for what is no tensor.
        """
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, hearth.Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = _registered(module_hooks.buffer_registration_hooks, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param) -> None:
        """Add a Parameter (or None) under `name`. Raises as register_buffer does, ValueError for a non-leaf."""
        self._check_name("parameter", name, "_parameters")
        if param is None:
            self._parameters[name] = None
            return
        if not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param.grad_fn:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = _registered(module_hooks.parameter_registration_hooks, self, name, param)

    def add_module(self, name: str, module) -> None:
        """Add a child module (or None) under `name`. Raises TypeError, KeyError."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {_typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = _registered(module_hooks.module_registration_hooks, self, name, module)

    def register_module(self, name: str, module) -> None:
        """The same as add_module."""
        self.add_module(name, module)

    def _walk(self, path):
        """The module at the dotted `path`. Raises AttributeError for what is missing or no module."""
        mod = self
        for item in path.split("."):
            if not hasattr(mod, item):
                raise AttributeError(f"{mod._get_name()} has no attribute `{item}`")
            mod = getattr(mod, item)
            if not isinstance(mod, Module):
                raise AttributeError(f"`{item}` is not an nn.Module")
        return mod

    def get_submodule(self, target: str):
        """The submodule with this dotted name; "" is the module itself. Raises AttributeError."""
        return self if target == "" else self._walk(target)

    def set_submodule(self, target: str, module, strict: bool = False) -> None:
        """Put `module` in the place of the submodule `target`; with `strict` that one must exist."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str):
        """The parameter with this dotted name. Raises AttributeError."""
        path, _, name = target.rpartition(".")
        mod = self.get_submodule(path)
        if not hasattr(mod, name):
            raise AttributeError(f"{mod._get_name()} has no attribute `{name}`")
        param = getattr(mod, name)
        if not isinstance(param, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return param

    def get_buffer(self, target: str):
        """The buffer with this dotted name. Raises AttributeError."""
        path, _, name = target.rpartition(".")
        mod = self.get_submodule(path)
        if not hasattr(mod, name):
            raise AttributeError(f"{mod._get_name()} has no attribute `{name}`")
        if name not in mod._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return getattr(mod, name)

    def get_extra_state(self):
        """What state_dict keeps besides tensors; define it together with set_extra_state."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called."
        )

    def set_extra_state(self, state):
        """Take back what get_extra_state gave."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called."
        )

    # Traversal -----------------------------------------------------------------------------------------------------

    def _named_members(self, get_members_fn, prefix="", recurse=True, remove_duplicate: bool = True):
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for module_prefix, module in modules:
            for name, value in get_members_fn(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield module_prefix + ("." if module_prefix else "") + name, value

    def parameters(self, recurse: bool = True):
        """Every parameter once, this module's own first."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_parameters(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True):
        """(dotted name, parameter) pairs."""
        return (
            pair for pair in self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)
        )

    def buffers(self, recurse: bool = True):
        """Every buffer once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True):
        """(dotted name, buffer) pairs."""
        return (pair for pair in self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate))

    def children(self):
        """The direct submodules, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self):
        """(name, module) pairs of the direct submodules."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate: bool = True):
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(self, memo=None, prefix: str = "", remove_duplicate: bool = True):
        """(dotted name, module) pairs of this module, named `prefix`, and all below it."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                below = prefix + ("." if prefix else "") + name
                yield from module.named_modules(memo, below, remove_duplicate)

    def apply(self, fn):
        """Call `fn(module)` on every submodule and then on this one; returns self."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True):
        """Set training mode here and below. Raises ValueError for what is no bool."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        """Set evaluation mode here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True):
        """Set whether gradients are wanted for every parameter."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every parameter's gradient, or with `set_to_none=False` fill it with zeros."""
        if getattr(self, "_is_replica", False):
            import warnings

            warnings.warn(
                "Calling .zero_grad() from a module created with nn.DataParallel() has no effect. The parameters are "
                "copied (in a differentiable manner) from the original module. This means they are not leaf nodes in "
                "autograd and so don't accumulate gradients. If you need gradients in your forward method, consider "
                "using autograd.grad instead.",
                stacklevel=2,
            )
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    _zero(p.grad)

    # Printing ------------------------------------------------------------------------------------------------------

    def _get_name(self):
        return self.__class__.__name__

    def extra_repr(self) -> str:
        """What `repr` shows between the parentheses, besides the children."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        child_lines = [f"({name}): {_addindent(repr(module), 2)}" for name, module in self._modules.items()]
        head = self._get_name() + "("
        lines = extra_lines + child_lines
        if not lines:
            return head + ")"
        if len(extra_lines) == 1 and not child_lines:
            return head + extra_lines[0] + ")"
        return head + "\n  " + "\n  ".join(lines) + "\n)"

    def _replicate_for_data_parallel(self):
        replica = self.__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica

    # The rest is filed by subject ------------------------------------------------------------------------------------

    register_full_backward_pre_hook = module_hooks.register_full_backward_pre_hook
    register_backward_hook = module_hooks.register_backward_hook
    register_full_backward_hook = module_hooks.register_full_backward_hook
    register_forward_pre_hook = module_hooks.register_forward_pre_hook
    register_forward_hook = module_hooks.register_forward_hook
    _get_backward_hooks = module_hooks._get_backward_hooks
    _get_backward_pre_hooks = module_hooks._get_backward_pre_hooks
    _maybe_warn_non_full_backward_hook = module_hooks._maybe_warn_non_full_backward_hook

    _register_state_dict_hook = module_state._register_state_dict_hook
    register_state_dict_post_hook = module_state.register_state_dict_post_hook
    register_state_dict_pre_hook = module_state.register_state_dict_pre_hook
    _save_to_state_dict = module_state._save_to_state_dict
    state_dict = module_state.state_dict
    _register_load_state_dict_pre_hook = module_state._register_load_state_dict_pre_hook
    register_load_state_dict_pre_hook = module_state.register_load_state_dict_pre_hook
    register_load_state_dict_post_hook = module_state.register_load_state_dict_post_hook
    _load_from_state_dict = module_state._load_from_state_dict
    load_state_dict = module_state.load_state_dict

    _apply = module_convert._apply
    cpu = module_convert.cpu
    cuda = module_convert.cuda
    ipu = module_convert.ipu
    xpu = module_convert.xpu
    mtia = module_convert.mtia
    type = module_convert.type_
    float = module_convert.float_
    double = module_convert.double
    half = module_convert.half
    bfloat16 = module_convert.bfloat16
    to_empty = module_convert.to_empty
    to = module_convert.to
    share_memory = module_convert.share_memory


def _zero(grad):
    if grad.grad_fn is not None:
        grad.detach_()
    else:
        grad.requires_grad_(False)
    grad.zero_()


# Calling a module and reading its parameters go through C; the Python methods above say what they do.
hearth._C._prepare_module(Module, CALL_HOOKS)
