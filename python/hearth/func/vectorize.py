"""vmap: a function of one example as a function of a batch."""
from functools import wraps

from .. import _C
from .._C import Tensor
from .tree import flatten, unflatten


def _spread(dims, tree, name):
    """One entry of in_dims for every leaf."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(flatten(tree)[0])
    if not isinstance(dims, (tuple, list, dict)) or not isinstance(tree, (tuple, list, dict)) or len(dims) != len(tree):
        raise ValueError(f"vmap({name}, in_dims={dims}, ...)(<inputs>): in_dims is not compatible with the structure of inputs")
    if isinstance(dims, dict):
        return [d for key in tree for d in _spread(dims[key], tree[key], name)]
    return [d for part, item in zip(dims, tree) for d in _spread(part, item, name)]


def _batch_size(leaves, dims, name):
    sizes = set()
    for leaf, dim in zip(leaves, dims):
        if dim is None:
            continue
        if not isinstance(leaf, Tensor):
            raise ValueError(f"vmap({name}, in_dims=...): got in_dim={dim} for an input that is not a Tensor: {type(leaf)}")
        if not -leaf.dim() <= dim < leaf.dim():
            raise ValueError(f"vmap({name}, in_dims=...): got in_dim={dim} for an input of dimensionality {leaf.dim()}")
        sizes.add(leaf.shape[dim])
    if not sizes:
        raise ValueError(f"vmap({name}): at least one input must have a dimension to map over")
    if len(sizes) != 1:
        raise ValueError(f"vmap({name}): Expected all tensors to have the same size in the mapped dimension, got sizes {sorted(sizes)}")
    return sizes.pop()


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """A function that runs `func` on every slice of its inputs along in_dims and stacks the results along out_dims.
    The slices are computed one after the other: the results are those of a loop, and so is the time."""
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = getattr(func, "__name__", repr(func))

    @wraps(func)
    def run(*args, **kwargs):
        if not args:
            raise ValueError(f"vmap({name})(): got no inputs")
        leaves, structure = flatten(args)
        dims = _spread(in_dims, args, name)
        count = _batch_size(leaves, dims, name)
        state = _C.default_generator._state()
        results = []
        for i in range(count):
            slices = [leaf if dim is None else leaf.select(dim, i) for leaf, dim in zip(leaves, dims)]
            results.append(flatten(func(*unflatten(slices, structure), **kwargs)))
            after = _C.default_generator._state()
            if after != state and randomness == "error":
                raise RuntimeError("vmap: called random operation while in randomness error mode. Please either use the 'same' "
                                   "or 'different' randomness flags on vmap or perform the randomness operation out of vmap")
            if randomness == "same" and i + 1 < count:
                _C.default_generator._set_state(state)
        return _stack(results, out_dims, name)

    return run


def _stack(results, out_dims, name):
    structure = results[0][1]
    count = len(results[0][0])
    tree = unflatten(list(range(count)), structure)
    dims = _spread(out_dims, tree, name) if structure is not None else [out_dims if isinstance(out_dims, int) or out_dims is None
                                                                         else out_dims[0]]
    stacked = []
    for k, dim in zip(range(count), dims):
        values = [r[0][k] for r in results]
        if not isinstance(values[0], Tensor):
            raise ValueError(f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(values[0])}.")
        stacked.append(values[0] if dim is None else _C.stack(values, dim))
    return unflatten(stacked, structure)
