"""grad, vjp, jvp, jacobians and hessian of functions of nested tensors."""
from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad
from .tree import flatten, tree_map, unflatten


def _leaf(x):
    """A tensor whose history begins here, but which keeps an outer graph going when there is one."""
    if not isinstance(x, Tensor):
        return x
    return x.view_as(x) if x.requires_grad else x.detach().requires_grad_(x.is_floating_point() or x.is_complex())


def _picked(args, argnums):
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
    return [n % len(args) for n in numbers]


def _gradients(outputs, inputs, weights, create_graph):
    live = [(o, w) for o, w in zip(outputs, weights) if isinstance(o, Tensor) and o.requires_grad]
    wanted = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    found = iter(_C._grad([o for o, _ in live], wanted, [w for _, w in live], True, create_graph, True) if live and wanted
                 else [None] * len(wanted))
    result = []
    for x in inputs:
        g = next(found) if isinstance(x, Tensor) and x.requires_grad else None
        result.append(x.new_zeros(x.shape) if g is None and isinstance(x, Tensor) else g)
    return result


def _outer(tensors):
    """Whether an enclosing transform differentiates these."""
    return any(isinstance(t, Tensor) and t.requires_grad for t in tensors)


def grad_and_value(func, argnums=0, has_aux=False):
    """A function that gives (gradient, value) of a scalar function."""
    def run(*args, **kwargs):
        numbers = _picked(args, argnums)
        outer = _outer(flatten((args, kwargs))[0]) or _C.is_grad_enabled() and _depth[0] > 0
        _depth[0] += 1
        try:
            with enable_grad():
                args = [tree_map(_leaf, a) if i in numbers else a for i, a in enumerate(args)]
                output = func(*args, **kwargs)
        finally:
            _depth[0] -= 1
        aux = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError("grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) if "
                                   "has_aux is True")
            output, aux = output
        if not isinstance(output, Tensor):
            raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got: {type(output)}")
        if output.dim() != 0:
            raise RuntimeError("grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got tensor with "
                               f"{output.dim()} dims. Maybe you wanted to use vjp or jacrev instead?")
        leaves, structure = flatten([args[n] for n in numbers])
        found = unflatten(_gradients([output], leaves, [_C.ones_like(output)], True), structure)
        if not outer:
            found, output = tree_map(_plain, found), _plain(output)
            aux = tree_map(_plain, aux)
        found = found[0] if isinstance(argnums, int) else tuple(found)
        return (found, (output, aux)) if has_aux else (found, output)

    return run


_depth = [0]  # how many transforms are open: inner results then keep their history


def _plain(x):
    return x.detach() if isinstance(x, Tensor) else x


def grad(func, argnums=0, has_aux=False):
    """A function that gives the gradient of a scalar function. Example: grad(torch.sin)(x)."""
    both = grad_and_value(func, argnums, has_aux)

    def run(*args, **kwargs):
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return run


def vjp(func, *primals, has_aux=False):
    """(func(*primals), a function from weights of the outputs to gradients of the primals[, aux])."""
    outer = _outer(flatten(primals)[0]) or _depth[0] > 0
    _depth[0] += 1
    try:
        with enable_grad():
            primals = [tree_map(_leaf, p) for p in primals]
            output = func(*primals)
    finally:
        _depth[0] -= 1
    if has_aux:
        output, aux = output
    leaves, structure = flatten(list(primals))
    out_leaves, out_structure = flatten(output)
    single = len(primals) == 1

    def pull(cotangents, retain_graph=True, create_graph=None):
        weights, given = flatten(cotangents)
        if len(weights) != len(out_leaves):
            raise RuntimeError("vjp_fn: the cotangents must have the structure of the output")
        keep = outer or _depth[0] > 0 or _outer(weights)
        found = unflatten(_gradients(out_leaves, leaves, weights, keep), structure)
        if not keep:
            found = tree_map(_plain, found)
        return found[0] if single and False else tuple(found)

    shown = output if outer else tree_map(_plain, output)
    return (shown, pull, tree_map(_plain, aux)) if has_aux else (shown, pull)


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(func(*primals), J tangents[, aux])."""
    if not isinstance(primals, tuple) or not primals:
        raise RuntimeError(f"jvp(f, primals, tangents): Expected primals to be a tuple of at least one: got {type(primals)}")
    outer = _outer(flatten((primals, tangents))[0]) or _depth[0] > 0
    _depth[0] += 1
    try:
        with enable_grad():
            primals = [tree_map(_leaf, p) for p in primals]
            output = func(*primals)
            if has_aux:
                output, aux = output
            leaves, _ = flatten(list(primals))
            directions, _ = flatten(list(tangents))
            out_leaves, structure = flatten(output)
            dummies = [_C.zeros_like(o).requires_grad_() for o in out_leaves]
            first = _gradients(out_leaves, leaves, dummies, True)
            second = _gradients(first, dummies, directions, True)
    finally:
        _depth[0] -= 1
    if not outer:
        second, output = [_plain(s) for s in second], tree_map(_plain, output)
    result = output, unflatten(second, structure)
    return (*result, tree_map(_plain, aux)) if has_aux else result


def linearize(func, *primals):
    """(func(*primals), a function from tangents to J tangents)."""
    output = func(*primals)
    return output, lambda *tangents: jvp(func, primals, tangents)[1]


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """A function that gives all derivatives of the outputs by the chosen arguments, row by row."""
    def run(*args, **kwargs):
        numbers = _picked(args, argnums)
        outer = _outer(flatten((args, kwargs))[0]) or _depth[0] > 0
        _depth[0] += 1
        try:
            with enable_grad():
                args = [tree_map(_leaf, a) if i in numbers else a for i, a in enumerate(args)]
                output = func(*args, **kwargs)
                aux = None
                if has_aux:
                    output, aux = output
                leaves, structure = flatten([args[n] for n in numbers])
                outs, out_structure = flatten(output)
                results = []
                for y in outs:
                    flat = y.reshape(-1)
                    rows = [_gradients([flat[i]], leaves, [_C.ones_like(flat[i])], outer) for i in range(flat.numel())]
                    parts = [_C.stack([r[k] for r in rows]).reshape(tuple(y.shape) + tuple(x.shape)) if rows
                             else x.new_zeros(tuple(y.shape) + tuple(x.shape)) for k, x in enumerate(leaves)]
                    parts = parts if outer else [_plain(p) for p in parts]
                    built = unflatten(parts, structure)
                    results.append(built[0] if isinstance(argnums, int) else tuple(built))
        finally:
            _depth[0] -= 1
        result = unflatten(results, out_structure)
        return (result, tree_map(_plain, aux)) if has_aux else result

    return run


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """As jacrev, column by column: for functions with more outputs than inputs."""
    def run(*args, **kwargs):
        numbers = _picked(args, argnums)
        columns, aux_box = [], []
        for n in numbers:
            x = args[n]
            if not isinstance(x, Tensor):
                return jacrev(func, argnums, has_aux=has_aux)(*args, **kwargs)

            def of_one(value, n=n):
                result = func(*[value if i == n else a for i, a in enumerate(args)], **kwargs)
                if has_aux:
                    aux_box[:] = [result[1]]
                    return result[0]
                return result

            basis = _C.eye(x.numel(), dtype=x.dtype).reshape((x.numel(),) + tuple(x.shape))
            tangents = [flatten(jvp(of_one, (x,), (basis[i],))[1]) for i in range(x.numel())]
            structure = tangents[0][1]
            outs = [_C.stack([t[0][k] for t in tangents], -1).reshape(tuple(tangents[0][0][k].shape) + tuple(x.shape))
                    for k in range(len(tangents[0][0]))]
            columns.append(unflatten(outs, structure))
        if isinstance(argnums, int):
            result = columns[0]
        else:
            flats = [flatten(c) for c in columns]
            result = unflatten([tuple(f[0][k] for f in flats) for k in range(len(flats[0][0]))], flats[0][1])
        return (result, tree_map(_plain, aux_box[0])) if has_aux else result

    return run


def hessian(func, argnums=0):
    """Second derivatives."""
    return jacfwd(jacrev(func, argnums), argnums)
