"""Some eigenvalues of large symmetric matrices, by locally optimal conjugate gradients (Knyazev 2001)."""
import hearth

_EPSILON = {hearth.float32: 1.2e-07, hearth.float64: 2.23e-16}


def lobpcg(A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None, tracker=None,
           ortho_iparams=None, ortho_fparams=None, ortho_bparams=None):
    """The k largest (smallest) eigenvalues and vectors of A x = w B x for symmetric A [..., m, m] and positive definite
    B, from the guess X [..., m, n] (random without), with the preconditioner iK. Stops after niter steps (1000), or once
    every residual |A x - w B x| is at most tol (the dtype's epsilon) times (|A| + |w| |B|) |x|.
    Example: w, x = hearth.lobpcg(A, 3)"""
    for name, given in (("tracker", tracker), ("ortho_iparams", ortho_iparams), ("ortho_fparams", ortho_fparams),
                        ("ortho_bparams", ortho_bparams)):
        if given is not None:
            raise NotImplementedError(f"lobpcg: {name} is not supported")
    if method not in (None, "basic", "ortho"):
        raise ValueError(f"lobpcg: method must be basic or ortho: {method}")
    if A.dim() < 2 or A.shape[-1] != A.shape[-2]:
        raise AssertionError(f"lobpcg: A must be square: {tuple(A.shape)}")
    if A.dtype not in _EPSILON:
        raise RuntimeError(f"lobpcg: needs float32 or float64: {A.dtype}")
    k = (1 if X is None else X.shape[-1]) if k is None else k
    columns = k if n is None else n
    size = A.shape[-1]
    if size < 3 * k:
        raise ValueError(f"lobpcg: {size} rows are fewer than three times the {k} eigenvalues asked for")
    if B is not None and (B.requires_grad or A.requires_grad):
        raise NotImplementedError("lobpcg: with B there are no gradients")
    start = hearth.randn(*A.shape[:-2], size, columns, dtype=A.dtype) if X is None else X
    steps, limit = 1000 if niter is None or niter < 0 else niter, _EPSILON[A.dtype] if tol is None else tol
    with hearth.no_grad():
        values, vectors = _every(A, B, start, iK, steps, limit, largest is None or largest)
        values, vectors = values[..., :k], vectors[..., :k]
    return _with_history(A, values, vectors) if A.requires_grad else (values, vectors)


def _every(A, B, X, iK, steps, limit, largest):
    """The same for each matrix of a batch."""
    if A.dim() == 2:
        return _one(A, B, X, iK, steps, limit, largest)
    parts = [_every(A[i], None if B is None else B[i], X[i], None if iK is None else iK[i], steps, limit, largest)
             for i in range(A.shape[0])]
    return hearth.stack([p[0] for p in parts]), hearth.stack([p[1] for p in parts])


def _rayleigh_ritz(A, B, space, count, largest):
    """The best eigenvalues within the columns of `space`, their vectors, and the combinations that they are."""
    basis = hearth.linalg.qr(space).Q
    if B is not None:
        factor = hearth.linalg.cholesky(basis.mT @ B @ basis)
        basis = hearth.linalg.solve_triangular(factor.mT, basis, upper=True, left=False)
    values, mixed = hearth.linalg.eigh(basis.mT @ A @ basis)
    if largest:
        values, mixed = values.flip(-1), mixed.flip(-1)
    return values[:count], basis @ mixed[:, :count]


def _one(A, B, X, iK, steps, limit, largest):
    """One matrix: the space of the vectors, their residuals and their last moves, again and again."""
    def apply(x):
        return x if B is None else B @ x

    count = X.shape[-1]
    norm_a = hearth.linalg.norm(A @ X) / hearth.linalg.norm(X)
    norm_b = hearth.linalg.norm(apply(X)) / hearth.linalg.norm(X)
    values, X = _rayleigh_ritz(A, B, X, count, largest)
    moves = None
    for _ in range(steps):
        residual = A @ X - apply(X) * values
        scale = (norm_a + values.abs() * norm_b) * hearth.linalg.vector_norm(X, dim=0)
        if bool((hearth.linalg.vector_norm(residual, dim=0) <= limit * scale).all()):
            break
        residual = residual if iK is None else iK @ residual
        directions = [X, residual / (hearth.linalg.vector_norm(residual, dim=0) + _tiny(A))]
        if moves is not None:
            directions.append(moves / (hearth.linalg.vector_norm(moves, dim=0) + _tiny(A)))
        space = hearth.cat(directions, -1)[:, : A.shape[-1]]
        values, new = _rayleigh_ritz(A, B, space, count, largest)
        moves, X = new - X @ (X.mT @ apply(new)), new
    return values, X


def _tiny(A):
    return 1e-30 if A.dtype == hearth.float32 else 1e-290


def _with_history(A, values, vectors):
    """The same numbers with first derivatives: w = x^T A x and dx = -(A - w)^+ dA x."""
    symmetric = (A + A.mT) / 2
    residual = symmetric @ vectors - vectors * values.unsqueeze(-2)
    one = hearth.eye(A.shape[-1], dtype=A.dtype)
    moved = []
    for i in range(values.shape[-1]):
        shifted = symmetric.detach() - values[..., i, None, None] * one
        inverse = hearth.linalg.pinv(shifted, rtol=1e-5, hermitian=True)
        moved.append(vectors[..., i] - (inverse @ (residual[..., i] - residual[..., i].detach()).unsqueeze(-1)).squeeze(-1))
    changed = (vectors * (residual - residual.detach())).sum(-2)
    return values + changed, hearth.stack(moved, -1)
