"""functional_call: a module called with other parameters than its own."""

import contextlib

__all__ = ["functional_call"]


def _place(module, name, cache):
    """(the submodule that holds the tensor of this dotted name, the last part of the name)."""
    path, _, last = name.rpartition(".")
    if path not in cache:
        cache[path] = module.get_submodule(path)
    return cache[path], last


def _table(module, name):
    for table in (module._parameters, module._buffers):
        if name in table:
            return table
    return None


def _with_tied(module, values, strict):
    """`values` and, for tensors that the module holds under several names, the same value for the other names."""
    names = {}
    for name, tensor in (
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ):
        names.setdefault(id(tensor), []).append(name)
    result = dict(values)
    for tied in names.values():
        given = [n for n in tied if n in values]
        if len({id(values[n]) for n in given}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(given)}, which are tied. Consider using "
                "tie_weights=False"
            )
        for name in tied if given else ():
            result[name] = values[given[0]]
    return result


def _check_strict(module, values):
    known = {n for n, _ in (*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False))}
    missing, unexpected = sorted(known - values.keys()), sorted(values.keys() - known)
    parts = []
    if unexpected:
        parts.append("Unexpected key(s): " + ", ".join(f'"{k}"' for k in unexpected) + ".")
    if missing:
        parts.append("Missing key(s): " + ", ".join(f'"{k}"' for k in missing) + ".")
    if parts:
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(parts))


@contextlib.contextmanager
def _reparametrize_module(module, parameters_and_buffers, *, tie_weights=False, strict=False, stack_weights=False):
    """Puts other tensors in the places of a module's own and takes them back at the end."""
    values = dict(parameters_and_buffers)
    if tie_weights:
        values = _with_tied(module, values, strict)
    if strict:
        _check_strict(module, values)
    cache, saved = {}, []
    try:
        for name, value in values.items():
            owner, last = _place(module, name, cache)
            table = _table(owner, last)
            if table is None:
                if not hasattr(owner, last):
                    raise AttributeError(f"{owner._get_name()} has no attribute `{last}`")
                saved.append((owner, last, None, getattr(owner, last)))
                setattr(owner, last, value)
            else:
                saved.append((owner, last, table, table[last]))
                table[last] = value
        yield
    finally:
        for owner, last, table, old in reversed(saved):
            if table is None:
                setattr(owner, last, old)
                continue
            name = next((n for n, v in values.items() if _place(module, n, cache) == (owner, last)), None)
            # What the module put in itself, such as a running statistic, is handed back to the caller's dict.
            if name is not None and table.get(last) is not values[name] and isinstance(parameters_and_buffers, dict):
                parameters_and_buffers[name] = table.get(last)
            table[last] = old


def functional_call(
    module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights: bool = True, strict: bool = False
):
    """Call `module` with the tensors of a dict (dotted name -> tensor) in the places of its own.

    Example: functional_call(model, {"weight": w}, (x,))
    """
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights=tie_weights, strict=strict):
        return module(*args, **(kwargs or {}))
