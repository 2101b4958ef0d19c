"""Products and norms in several notations: einsum, tensordot, norm, block_diag, cov and their kin."""
from .. import _C
from .._C import Tensor
from .._function import _package, function


def _tensors(name, given):
    """The tensors of a call that takes them one by one or as one list."""
    if len(given) == 1 and isinstance(given[0], (list, tuple)):
        given = tuple(given[0])
    for one in given:
        if not isinstance(one, Tensor):
            raise TypeError(f"{name}: expected tensors: {type(one).__name__}")
    return given


def _letter(number):
    if not 0 <= number < 52:
        raise RuntimeError(f"einsum: subscripts are numbers from 0 to 51: {number}")
    return chr(ord("A") + number) if number < 26 else chr(ord("a") + number - 26)


def _written(subscripts):
    return "".join("..." if s is Ellipsis else _letter(s) for s in subscripts)


@function()
def einsum(*args):
    """The sum of products that an equation writes down; or operands and lists of subscripts by turns."""
    if len(args) < 2:
        raise ValueError("einsum: needs an equation and at least one operand, or an operand and its subscripts")
    if isinstance(args[0], str):
        return _C._einsum(args[0], list(_tensors("einsum", args[1:])))
    operands, inputs = args[0::2], args[1::2]
    output = None
    if len(args) % 2:
        operands, output = operands[:-1], args[-1]
    equation = ",".join(_written(s) for s in inputs)
    if output is not None:
        equation += "->" + _written(output)
    return _C._einsum(equation, list(_tensors("einsum", operands)))


@function()
def tensordot(a, b, dims=2, out=None):
    """Contracts dimensions of a with dimensions of b: how many, or a list for each."""
    if isinstance(dims, Tensor):
        dims = int(dims) if dims.numel() == 1 else dims.tolist()
    if isinstance(dims, (list, tuple)):
        if len(dims) != 2:
            raise RuntimeError(f"tensordot: dims must be a number or two lists: {dims}")
        first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot: dims must not be negative: {dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot: cannot contract {dims} dimensions of {tuple(a.shape)} and {tuple(b.shape)}")
        first, second = list(range(a.dim() - dims, a.dim())), list(range(dims))
    for i, j in zip(first, second):
        # A size of 1 stands for every entry of the other tensor.
        if a.shape[i] == 1 != b.shape[j]:
            b = b.sum(j, keepdim=True, dtype=b.dtype)
        elif b.shape[j] == 1 != a.shape[i]:
            a = a.sum(i, keepdim=True, dtype=a.dtype)
    return _C._tensordot(a, b, first, second)


@function()
def chain_matmul(*matrices, out=None):
    """The product of matrices in the cheapest order."""
    product = _C._linalg_multi_dot(list(_tensors("chain_matmul", matrices))) if len(matrices) != 1 else matrices[0]
    return product if out is None else out.resize_(product.shape).copy_(product)


@function("method")
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The norm of all elements, of vectors or of matrices; torch.linalg has newer forms."""
    dims = [dim] if isinstance(dim, int) else None if dim is None else list(dim)
    if isinstance(p, str):
        if p == "fro" and (dims is None or len(dims) <= 2):
            return _C._linalg_vector_norm(input, 2, dims, keepdim, dtype=dtype)
        if p == "nuc":
            over = (0, 1) if dims is None else tuple(dims)
            if dims is None and input.dim() != 2:
                raise RuntimeError(f"norm: nuc without dim needs a matrix: {tuple(input.shape)}")
            return _C._linalg_matrix_norm(input, "nuc", over, keepdim, dtype=dtype)
        raise RuntimeError(f"norm: only valid string values are 'fro' and 'nuc', for at most two dimensions: {p}")
    return _C._linalg_vector_norm(input, 2 if p is None else p, dims, keepdim, dtype=dtype)


@function()
def frobenius_norm(input, dim=(), keepdim=False, *, out=None):
    """sqrt(sum |x|^2) over one or two dimensions, or all."""
    over = [dim] if isinstance(dim, int) else list(dim)
    if len(over) > 2:
        raise RuntimeError(f"frobenius_norm: dim names at most two dimensions: {over}")
    return _C._linalg_vector_norm(input, 2, over, keepdim)


@function()
def nuclear_norm(input, dim=(-2, -1), keepdim=False, *, out=None):
    """The sum of singular values."""
    return _C._linalg_matrix_norm(input, "nuc", dim, keepdim)


@function()
def norm_except_dim(v, pow=2, dim=0):
    """The norm over all dimensions but one (dim -1: over all)."""
    if dim == -1:
        return _C._linalg_vector_norm(v, pow)
    return _C._linalg_vector_norm(v, pow, [d for d in range(v.dim()) if d != dim % v.dim()], True)


@function("method", "inplace")
def renorm(input, p, dim, maxnorm, *, out=None):
    """Slices along dim whose p-norm is above maxnorm, scaled down to it."""
    if p <= 0:
        raise RuntimeError(f"renorm: p must be positive: {p}")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: maxnorm must not be negative: {maxnorm}")
    if input.dim() < 2:
        raise RuntimeError(f"renorm: needs at least two dimensions: {tuple(input.shape)}")
    dim = dim + input.dim() if dim < 0 else dim
    over = [d for d in range(input.dim()) if d != dim]
    wide = _C.float32 if input.dtype in (_C.float16, _C.bfloat16) else None
    size = _C._linalg_vector_norm(input, p, over, True, dtype=wide)
    factor = _C.where(size > maxnorm, maxnorm / (size + 1e-7), _C.ones_like(size))
    return input * factor.to(input.dtype)


@function()
def block_diag(*tensors):
    """A matrix with the given ones (at most two-dimensional) along its diagonal, zeros elsewhere."""
    blocks = []
    for i, one in enumerate(_tensors("block_diag", tensors)):
        if one.dim() > 2:
            raise RuntimeError(f"block_diag: tensor {i} has more than two dimensions: {tuple(one.shape)}")
        blocks.append(one.reshape(1, -1) if one.dim() < 2 else one)
    if not blocks:
        return _package.empty(1, 0)
    dtype = blocks[0].dtype
    for block in blocks[1:]:
        dtype = _package.promote_types(dtype, block.dtype)
    width, left, rows = sum(b.shape[1] for b in blocks), 0, []
    for block in blocks:
        height, columns = block.shape
        before = _C.zeros((height, left), dtype=dtype)
        after = _C.zeros((height, width - left - columns), dtype=dtype)
        rows.append(_C.cat([before, block.to(dtype), after], 1))
        left += columns
    return _C.cat(rows, 0)


def _weights(name, given, observations, dtype):
    """fweights or aweights, checked."""
    if given.dim() > 1 or given.numel() != observations:
        raise RuntimeError(f"cov: {name} must be 1-dim with one entry an observation: {tuple(given.shape)}")
    if bool((given < 0).any()):
        raise RuntimeError(f"cov: {name} must not be negative")
    return given


@function("method")
def cov(input, *, correction=1, fweights=None, aweights=None):
    """Covariances of variables (rows) over observations (columns)."""
    if input.dim() > 2:
        raise RuntimeError(f"cov: needs at most two dimensions: {tuple(input.shape)}")
    if input.dtype == _C.bool:
        raise RuntimeError("cov: bool is not supported")
    x = input.reshape(1, -1) if input.dim() < 2 else input
    observations, w = x.shape[1], None
    if fweights is not None:
        if fweights.is_floating_point() or fweights.is_complex():
            raise RuntimeError(f"cov: fweights must be integral: {fweights.dtype}")
        w = _weights("fweights", fweights, observations, x.dtype)
    if aweights is not None:
        if not aweights.is_floating_point():
            raise RuntimeError(f"cov: aweights must be floating: {aweights.dtype}")
        a = _weights("aweights", aweights, observations, x.dtype)
        w = a if w is None else w * a
    total = observations if w is None else w.sum()
    if w is not None and bool(total == 0):
        raise RuntimeError("cov: the weights sum to zero")
    mean = x.sum(1) / observations if w is None else (x * w).sum(1) / total
    norm = total - correction
    if w is not None and aweights is not None and correction != 0:
        norm = total - correction * (w * aweights).sum() / total
    if isinstance(norm, Tensor):
        norm = norm.clamp(min=0)
    else:
        norm = max(norm, 0)
    centred = x - mean.unsqueeze(1)
    weighted = centred if w is None else centred * w
    product = _C.matmul(weighted.to(centred.dtype), centred.conj().transpose(0, 1)) / norm
    return product.squeeze()


@function("method")
def corrcoef(input):
    """Correlations of variables (rows) over observations (columns)."""
    if input.dim() > 2:
        raise RuntimeError(f"corrcoef: needs at most two dimensions: {tuple(input.shape)}")
    c = _package.cov(input)
    if c.dim() == 0:
        return c / c
    deviation = _C.real(c.diagonal()).sqrt()
    c = c / deviation.unsqueeze(-1) / deviation.unsqueeze(-2)
    if c.is_complex():
        return _C.complex(_C.real(c).clamp(-1, 1), _C.imag(c).clamp(-1, 1))
    return c.clamp(-1, 1)
