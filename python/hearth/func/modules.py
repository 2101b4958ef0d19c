"""Modules as functions: calling one with other parameters, stacking the parameters of many."""
from .. import _C


class _Swap:
    """Puts tensors in the place of a module's parameters and buffers for a block."""

    def __init__(self, module, values, tie_weights, strict):
        self._places = []
        known = dict(module.named_parameters(remove_duplicate=False))
        known.update(module.named_buffers(remove_duplicate=False))
        unknown = [n for n in values if n not in known]
        missing = [n for n in known if n not in values]
        if unknown or strict and missing:
            raise RuntimeError(f"functional_call: unexpected keys {unknown}, missing keys {missing if strict else []}")
        for name, value in values.items():
            same = [n for n, p in known.items() if p is known[name] and n not in values] if tie_weights else []
            for full in [name] + same:
                path, _, leaf = full.rpartition(".")
                self._places.append((module.get_submodule(path), leaf, value))

    def __enter__(self):
        self._before = []
        for owner, leaf, value in self._places:
            table = owner._parameters if leaf in owner._parameters else owner._buffers
            self._before.append((table, leaf, table[leaf]))
            table[leaf] = value

    def __exit__(self, *_):
        for table, leaf, value in reversed(self._before):
            table[leaf] = value


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """module(*args, **kwargs) with the given tensors in place of its parameters and buffers."""
    values = parameter_and_buffer_dicts
    if not isinstance(values, dict):
        values = {name: value for part in values for name, value in part.items()}
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _Swap(module, values, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def stack_module_state(models):
    """(parameters, buffers) of models of one kind, each stacked along a new first dimension."""
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    tables = [dict(m.named_parameters()) for m in models]
    parameters = {name: _C.stack([t[name] for t in tables]).detach().requires_grad_(tables[0][name].requires_grad)
                  for name in tables[0]}
    tables = [dict(m.named_buffers()) for m in models]
    return parameters, {name: _C.stack([t[name] for t in tables]) for name in tables[0]}
