"""Optimizer: the base of all update rules: parameter groups, state, hooks, state dicts."""

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from copy import deepcopy
from itertools import chain

import hearth
from hearth.utils.hooks import RemovableHandle

__all__ = ["Optimizer", "register_optimizer_step_pre_hook", "register_optimizer_step_post_hook"]

_global_optimizer_pre_hooks = OrderedDict()
_global_optimizer_post_hooks = OrderedDict()


class _RequiredParameter:
    """Stands for a setting that every parameter group must give."""

    def __repr__(self):
        return "<required parameter>"


required = _RequiredParameter()


def _register(hooks, hook, prepend=False):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook):
    """Call `hook(optimizer, args, kwargs)` before each step of every optimizer; it may return (args, kwargs)."""
    return _register(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Call `hook(optimizer, args, kwargs)` after each step of every optimizer."""
    return _register(_global_optimizer_post_hooks, hook)


def _with_hooks(step):
    """`step` with the hooks of its optimizer around it."""

    @functools.wraps(step)
    def run(self, *args, **kwargs):
        pre, post = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        if not (pre or post or _global_optimizer_pre_hooks or _global_optimizer_post_hooks):
            return step(self, *args, **kwargs)
        for hook in chain(_global_optimizer_pre_hooks.values(), pre.values()):
            result = hook(self, args, kwargs)
            if result is None:
                continue
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(
                    f"{type(self).step} must return None or a tuple of (new_args, new_kwargs), but got {result}."
                )
            args, kwargs = result
        out = step(self, *args, **kwargs)
        for hook in chain(post.values(), _global_optimizer_post_hooks.values()):
            hook(self, args, kwargs)
        return out

    run.hooked = True
    return run


def _type_name(value):
    return value.type() if isinstance(value, hearth.Tensor) else type(value).__name__


class Optimizer:
    """Changes parameters by their gradients. A rule of one's own defines `step` and reads `self.param_groups`.

    `params`: tensors, (name, tensor) pairs, or dicts with "params" and settings that differ from `defaults`.
    """

    def __init__(self, params, defaults) -> None:
        self.defaults = defaults
        self._make_hooks()
        self._patch_step_function()
        if isinstance(params, hearth.Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + params.type()
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        param_groups = list(params)
        if len(param_groups) == 0:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(param_groups[0], dict):
            param_groups = [{"params": param_groups}]
        for group in param_groups:
            self.add_param_group(group)

    def _make_hooks(self):
        for name in (
            "_optimizer_step_pre_hooks",
            "_optimizer_step_post_hooks",
            "_optimizer_state_dict_pre_hooks",
            "_optimizer_state_dict_post_hooks",
            "_optimizer_load_state_dict_pre_hooks",
            "_optimizer_load_state_dict_post_hooks",
        ):
            if name not in self.__dict__:
                setattr(self, name, OrderedDict())

    def _patch_step_function(self):
        """Put the hooks around the class's step, once a class."""
        cls = type(self)
        if not getattr(cls.step, "hooked", None):
            cls.step = _with_hooks(cls.step)

    profile_hook_step = staticmethod(_with_hooks)

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state) -> None:
        self.__dict__.update(state)
        self._make_hooks()
        self._patch_step_function()
        self._complete_old_state()
        self.defaults.setdefault("differentiable", False)

    def _complete_old_state(self):
        """What checkpoints of older versions lack: settings that came later, steps that were numbers."""

    def __repr__(self):
        lines = []
        for i, group in enumerate(self.param_groups):
            lines.append(f"\nParameter Group {i}\n")
            lines += [f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"]
        return f"{type(self).__name__} (" + "".join(lines) + ")"

    # Hooks -------------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` before each step; it may return (args, kwargs)."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook, prepend: bool = False):
        """Call `hook(optimizer)` before state_dict."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend: bool = False):
        """Call `hook(optimizer, state_dict)` after state_dict; it may return another dict."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend: bool = False):
        """Call `hook(optimizer, state_dict)` before load_state_dict; it may return another dict."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend: bool = False):
        """Call `hook(optimizer)` after load_state_dict."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # State -------------------------------------------------------------------------------------------------------

    def state_dict(self):
        """{"state": {number: values}, "param_groups": [...]}; parameters are numbered over all groups."""
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers = {}
        groups = []
        for group in self.param_groups:
            packed = {k: v for k, v in group.items() if k != "params"}
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {(numbers[id(k)] if isinstance(k, hearth.Tensor) else k): v for k, v in self.state.items()}
        result = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            if changed is not None:
                result = changed
        return result

    @staticmethod
    def _process_value_according_to_param_policy(param, value, param_id, param_groups, key=None):
        """A loaded value in the dtype that its parameter's state has; steps keep theirs."""
        if key == "step":
            group = next((g for g in param_groups if param_id in g["params"]), {})
            if group.get("capturable") or group.get("fused"):
                return value.to(dtype=hearth.float32, device=param.device)
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)

    def _cast(self, param, value, number, groups, key=None):
        if isinstance(value, hearth.Tensor):
            return Optimizer._process_value_according_to_param_policy(param, value, number, groups, key)
        if isinstance(value, dict):
            return {k: self._cast(param, v, number, groups, k) for k, v in value.items()}
        if isinstance(value, Iterable) and not isinstance(value, str):
            return type(value)(self._cast(param, v, number, groups) for v in value)
        return value

    def load_state_dict(self, state_dict) -> None:
        """Take over what state_dict gave. Raises ValueError when groups or their sizes differ."""
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            if changed is not None:
                state_dict = changed
        groups = self.param_groups
        saved = deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        params = dict(
            zip(chain.from_iterable(g["params"] for g in saved), chain.from_iterable(g["params"] for g in groups))
        )
        state = defaultdict(dict)
        for number, values in state_dict["state"].items():
            if number in params:
                param = params[number]
                state[param] = self._cast(param, values, number, state_dict["param_groups"])
            else:
                state[number] = values
        for group, own in zip(saved, groups):
            group["params"] = own["params"]
            if "param_names" in own and "param_names" not in group:
                group["param_names"] = own["param_names"]
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every gradient, or with `set_to_none=False` fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                    continue
                if p.grad.grad_fn is not None:
                    p.grad.detach_()
                else:
                    p.grad.requires_grad_(False)
                p.grad.zero_()

    def step(self, closure=None):
        """Change the parameters once; `closure`, where a rule takes one, computes the loss anew and returns it."""
        raise NotImplementedError

    def add_param_group(self, param_group) -> None:
        """Train more parameters: {"params": ..., settings}. Raises TypeError, ValueError."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, hearth.Tensor):
            param_group["params"] = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        else:
            param_group["params"] = list(params)
        self._split_names(param_group)
        for param in param_group["params"]:
            if not isinstance(param, hearth.Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + _type_name(param))
            if not self.defaults.get("differentiable", None) and not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        self._check_new(param_group["params"])
        self.param_groups.append(param_group)

    def _split_names(self, group):
        """(name, tensor) pairs become "params" and "param_names"."""
        named = [p for p in group["params"] if isinstance(p, tuple)]
        if not named:
            if self.param_groups and ("param_names" in group) != ("param_names" in self.param_groups[0]):
                self._mixed_names("param_names" in group)
            return
        if len(named) != len(group["params"]):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        if self.param_groups and "param_names" not in self.param_groups[0]:
            self._mixed_names(True)
        names, tensors = [], []
        for name, tensor in named:
            names.append(name)
            tensors.append(tensor)
        rest = {k: v for k, v in group.items() if k != "params"}
        group.clear()
        group.update(params=tensors, param_names=names, **rest)

    def _mixed_names(self, new_has_names):
        with_, without = ("with", "without") if new_has_names else ("without", "with")
        raise ValueError(
            "all optimizer param groups should be with/without names. cannot add param group "
            f"{with_} names to the optimizer {without} names"
        )

    def _check_new(self, params):
        if len(params) != len({id(p) for p in params}):
            import warnings

            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error",
                stacklevel=4,
            )
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
