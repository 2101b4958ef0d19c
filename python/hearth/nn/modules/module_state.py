"""The state dict of a module: what is written, what is read, and what is said when the two do not fit."""

import itertools
from collections import OrderedDict, namedtuple

import hearth
from hearth.utils.hooks import RemovableHandle

from ..parameter import Parameter, is_lazy
from .module_hooks import _WrappedHook

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict` found missing and did not expect."""

    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _register(hooks, hook):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def _register_state_dict_hook(self, hook):
    """Call `hook(module, state_dict, prefix, local_metadata)` after state_dict; it may return another dict."""
    if getattr(hook, "_from_public_api", False):
        raise RuntimeError(
            "Cannot register the same function as the state dict post hook that was previously registered via "
            "register_state_dict_post_hook"
        )
    return _register(self._state_dict_hooks, hook)


def register_state_dict_post_hook(self, hook):
    """Call `hook(module, state_dict, prefix, local_metadata)` after state_dict; it changes the dict in place."""
    hook._from_public_api = True
    return _register(self._state_dict_hooks, hook)


def register_state_dict_pre_hook(self, hook):
    """Call `hook(module, prefix, keep_vars)` before state_dict is gathered."""
    return _register(self._state_dict_pre_hooks, hook)


def _save_to_state_dict(self, destination, prefix, keep_vars):
    """Write this module's own parameters, persistent buffers and extra state into `destination`."""
    for name, value in self._parameters.items():
        if value is not None:
            destination[prefix + name] = value if keep_vars else value.detach()
    for name, value in self._buffers.items():
        if value is not None and name not in self._non_persistent_buffers_set:
            destination[prefix + name] = value if keep_vars else value.detach()
    if _has_extra_state(self, "get_extra_state"):
        destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()


def _has_extra_state(module, method):
    from .module import Module

    return getattr(type(module), method, None) is not getattr(Module, method)


def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
    """An ordered dict of every parameter and persistent buffer by its dotted name, detached unless `keep_vars`."""
    if args:
        import warnings

        warnings.warn(
            "Positional args are being deprecated, use kwargs instead. Refer to "
            "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
            FutureWarning,
            stacklevel=2,
        )
        destination = args[0] if destination is None else destination
        if len(args) > 1 and prefix == "":
            prefix = args[1]
        if len(args) > 2 and keep_vars is False:
            keep_vars = args[2]
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    local_metadata = {"version": self._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = local_metadata
    for hook in self._state_dict_pre_hooks.values():
        hook(self, prefix, keep_vars)
    self._save_to_state_dict(destination, prefix, keep_vars)
    for name, module in self._modules.items():
        if module is not None:
            module.state_dict(destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars)
    for hook in self._state_dict_hooks.values():
        result = hook(self, destination, prefix, local_metadata)
        if getattr(hook, "_from_public_api", False):
            if result is not None:
                raise RuntimeError("state_dict post-hook must return None")
        elif result is not None:
            destination = result
    return destination


def _register_load_state_dict_pre_hook(self, hook, with_module=False):
    """Call `hook([module,] state_dict, prefix, metadata, strict, missing, unexpected, errors)` before this loads."""
    return _register(self._load_state_dict_pre_hooks, _WrappedHook(hook, self if with_module else None))


def register_load_state_dict_pre_hook(self, hook):
    """As `_register_load_state_dict_pre_hook`, with the module as the hook's first argument."""
    return self._register_load_state_dict_pre_hook(hook, with_module=True)


def register_load_state_dict_post_hook(self, hook):
    """Call `hook(module, incompatible_keys)` after loading; changes to the two lists are honoured."""
    return _register(self._load_state_dict_post_hooks, hook)


def _assigned(own, given, key, assign_requires_grad):
    if isinstance(own, Parameter):
        if not isinstance(given, Parameter):
            given = Parameter(given, requires_grad=own.requires_grad)
        else:
            given.requires_grad_(own.requires_grad)
    return given


def _shape_error(key, own, given):
    return (
        f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
        f"the shape in current model is {own.shape}."
    )


def _load_one(self, key, name, own, given, assign, error_msgs):
    """Copy or assign one saved value to the parameter or buffer `name`; what goes wrong is added to error_msgs."""
    if not isinstance(given, hearth.Tensor):
        error_msgs.append(
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(given)}"
        )
        return
    lazy = is_lazy(own)
    # Version 0.3 and older saved scalars as tensors of one element.
    if not lazy and len(own.shape) == 0 and len(given.shape) == 1 and given.shape[0] == 1:
        given = given[0]
    if not lazy and given.shape != own.shape:
        error_msgs.append(_shape_error(key, own, given))
        return
    if own.is_meta and not given.is_meta and not assign:
        import warnings

        warnings.warn(
            f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current "
            "model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary to "
            "their corresponding key in the module instead of copying them in place?)",
            stacklevel=2,
        )
    try:
        with hearth.no_grad():
            if assign:
                setattr(self, name, _assigned(own, given, key, True))
            else:
                own.copy_(given)
    except Exception as error:
        action = "assigning" if assign else "copying"
        error_msgs.append(
            f'While {action} the parameter named "{key}", whose dimensions in the model are {own.size()} and whose '
            f"dimensions in the checkpoint are {given.size()}, an exception occurred : {error.args}."
        )


def _load_from_state_dict(
    self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
):
    """Load this module's own entries; the three lists collect what is missing, unexpected and wrong."""
    for hook in self._load_state_dict_pre_hooks.values():
        hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
    buffers = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
    own_state = {k: v for k, v in itertools.chain(self._parameters.items(), buffers.items()) if v is not None}
    assign = local_metadata.get("assign_to_params_buffers", False)
    for name, own in own_state.items():
        key = prefix + name
        if key in state_dict:
            _load_one(self, key, name, own, state_dict[key], assign, error_msgs)
        elif strict:
            missing_keys.append(key)
    extra = prefix + _EXTRA_STATE_KEY_SUFFIX
    if _has_extra_state(self, "set_extra_state"):
        if extra in state_dict:
            self.set_extra_state(state_dict[extra])
        elif strict:
            missing_keys.append(extra)
    elif strict and extra in state_dict:
        unexpected_keys.append(extra)
    if strict:
        _find_unexpected(self, state_dict, prefix, own_state, extra, unexpected_keys)


def _find_unexpected(self, state_dict, prefix, own_state, extra, unexpected_keys):
    for key in state_dict:
        if key.startswith(prefix) and key != extra:
            rest = key[len(prefix) :].split(".", 1)
            if len(rest) > 1:
                if rest[0] not in self._modules:
                    unexpected_keys.append(key)
            elif rest[0] not in own_state:
                unexpected_keys.append(key)


def _load_tree(module, state, metadata, prefix, strict, assign, found):
    missing, unexpected, errors = found
    local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
    if assign:
        local_metadata["assign_to_params_buffers"] = assign
    module._load_from_state_dict(state, prefix, local_metadata, True, missing, unexpected, errors)
    for name, child in module._modules.items():
        if child is not None:
            child_prefix = prefix + name + "."
            child_state = {k: v for k, v in state.items() if k.startswith(child_prefix)}
            _load_tree(child, child_state, metadata, child_prefix, strict, assign, found)
    keys = _IncompatibleKeys(missing, unexpected)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, "
                "if incompatible_keys need to be modified, it should be done inplace."
            )


def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False):
    """Copy (or with `assign` take over) the values of `state_dict`; returns the missing and unexpected keys.

    Raises RuntimeError listing what does not fit: shapes always, missing and unexpected keys when `strict`.
    """
    from collections.abc import Mapping

    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    missing, unexpected, errors = [], [], []
    metadata = getattr(state_dict, "_metadata", None)
    state = OrderedDict(state_dict)
    if metadata is not None:
        state._metadata = metadata
    _load_tree(self, state, metadata, "", strict, assign, (missing, unexpected, errors))
    if strict:
        if unexpected:
            names = ", ".join(f'"{k}"' for k in unexpected)
            errors.insert(0, f"Unexpected key(s) in state_dict: {names}. ")
        if missing:
            names = ", ".join(f'"{k}"' for k in missing)
            errors.insert(0, f"Missing key(s) in state_dict: {names}. ")
    if errors:
        raise RuntimeError(
            "Error(s) in loading state_dict for {}:\n\t{}".format(type(self).__name__, "\n\t".join(errors))
        )
    return _IncompatibleKeys(missing, unexpected)
