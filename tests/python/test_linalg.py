"""torch.linalg and its older forms in torch: NumPy's values, names of fields, out=, errors."""
import pickle

import numpy
import pytest

import hearth

A = numpy.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]])
B = numpy.array([[1.0, 2.0], [-1.0, 0.5], [3.0, 1.0]])
C = A + 1j * numpy.array([[0, 2.0, 1.0], [-2.0, 0, 0.5], [-1.0, -0.5, 0]])


def tensor(x):
    return hearth.from_numpy(numpy.ascontiguousarray(x))


def close(got, expected, tolerance=1e-12):
    numpy.testing.assert_allclose(got.numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["det", "inv", "eigvalsh", "svdvals", "cond", "matrix_rank", "cholesky", "norm"])
@pytest.mark.parametrize("x", [A, C, numpy.stack([A, A + numpy.eye(3)])], ids=["real", "complex", "batch"])
def test_functions_of_one_matrix_are_numpys(name, x):
    if name == "svdvals":
        expected = numpy.linalg.svd(x, compute_uv=False)
    else:
        expected = getattr(numpy.linalg, name)(x)
    close(getattr(hearth.linalg, name)(tensor(x)), expected)


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, float("inf"), float("-inf")])
def test_norms_of_matrices(order):
    close(hearth.linalg.norm(tensor(B), order), numpy.linalg.norm(B, order))
    if order is not None:
        kept = numpy.linalg.norm(B, order, (0, 1), True)
        close(hearth.linalg.matrix_norm(tensor(B), order, keepdim=True), kept)


@pytest.mark.parametrize("order", [0, 0.5, 1, 2, 3, float("inf"), float("-inf"), -1])
def test_norms_of_vectors(order):
    close(hearth.linalg.vector_norm(tensor(B), order, dim=0), numpy.linalg.norm(B, order, 0))
    close(hearth.norm(tensor(B), order, dim=1), numpy.linalg.norm(B, order, 1))


def test_solvers():
    close(hearth.linalg.solve(tensor(A), tensor(B)), numpy.linalg.solve(A, B))
    close(hearth.linalg.lstsq(tensor(B), tensor(A)).solution, numpy.linalg.lstsq(B, A, rcond=None)[0])
    close(hearth.linalg.pinv(tensor(B)), numpy.linalg.pinv(B))
    close(hearth.linalg.matrix_power(tensor(A), -3), numpy.linalg.matrix_power(A, -3))
    close(hearth.linalg.multi_dot([tensor(A), tensor(A), tensor(B)]), A @ A @ B)
    close(hearth.linalg.tensorinv(tensor(A.reshape(3, 3)), ind=1), numpy.linalg.inv(A))
    lower = numpy.tril(A)
    close(hearth.linalg.solve_triangular(tensor(A), tensor(B), upper=False), numpy.linalg.solve(lower, B))
    close(hearth.triangular_solve(tensor(B), tensor(A), upper=False).solution, numpy.linalg.solve(lower, B))
    close(hearth.cholesky_solve(tensor(B), hearth.linalg.cholesky(tensor(A))), numpy.linalg.solve(A, B))
    factors, pivots = hearth.linalg.lu_factor(tensor(A))
    close(hearth.lu_solve(tensor(B), factors, pivots), numpy.linalg.solve(A, B))


FIELDS = {
    "eigh": ("eigenvalues", "eigenvectors"), "eig": ("eigenvalues", "eigenvectors"), "svd": ("U", "S", "Vh"),
    "qr": ("Q", "R"), "lu": ("P", "L", "U"), "lu_factor": ("LU", "pivots"), "slogdet": ("sign", "logabsdet"),
    "lu_factor_ex": ("LU", "pivots", "info"), "cholesky_ex": ("L", "info"), "inv_ex": ("inverse", "info"),
    "ldl_factor": ("LD", "pivots"), "ldl_factor_ex": ("LD", "pivots", "info"), "polar": ("U", "H"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_results_have_names_and_take_out(name):
    function = getattr(hearth.linalg, name)
    result = function(tensor(A))
    assert type(result).__name__ == "linalg_" + name
    for field, value in zip(FIELDS[name], result, strict=True):
        assert getattr(result, field) is value
    out = tuple(hearth.empty(0, dtype=x.dtype) for x in result)
    function(tensor(A), out=out)
    for written, value in zip(out, result):
        close(written, value.numpy())


def test_older_forms():
    u, s, v = hearth.svd(tensor(B))
    close((u * s) @ v.T, B)
    assert hearth.svd(tensor(B), compute_uv=False).U.count_nonzero() == 0
    q, r = hearth.qr(tensor(B), some=False)
    assert q.shape == (3, 3) and r.shape == (3, 2)
    a, tau = hearth.geqrf(tensor(B))
    close(hearth.orgqr(a, tau) @ r[:2], B)
    close(hearth.ormqr(a, tau, tensor(A)), q.numpy() @ A)
    p, lower, upper = hearth.lu_unpack(*hearth.lu(tensor(A)))
    close(p @ lower @ upper, A)
    close(hearth.pinverse(tensor(B)), numpy.linalg.pinv(B))
    close(tensor(A).inverse() @ tensor(A), numpy.eye(3))
    close(hearth.logdet(tensor(A)), numpy.log(numpy.linalg.det(A)))
    close(hearth.chain_matmul(tensor(A), tensor(B)), A @ B)


def test_products():
    x, y = tensor(A), tensor(B)
    close(hearth.einsum("ij,jk->ki", x, y), (A @ B).T)
    close(hearth.einsum(x, [0, 1], y, [1, 2], [2, 0]), (A @ B).T)
    close(hearth.tensordot(x, y, dims=([1], [0])), A @ B)
    close(hearth.tensordot(x, x), numpy.tensordot(A, A))
    close(hearth.addmm(y, x, y, beta=0.5, alpha=2), 0.5 * B + 2 * A @ B)
    close(hearth.inner(x, y.T), numpy.inner(A, B.T))
    close(hearth.kron(x, y), numpy.kron(A, B))
    close(hearth.block_diag(x, y, tensor(B[0])).sum(), A.sum() + B.sum() + B[0].sum())
    close(hearth.cov(y), numpy.cov(B))
    close(hearth.cov(y, correction=0, aweights=tensor(numpy.array([1.0, 3.0]))), numpy.cov(B, ddof=0, aweights=[1, 3]))
    close(hearth.corrcoef(x), numpy.corrcoef(A))
    close(hearth.cross(x, x.T.contiguous(), dim=1), numpy.cross(A, A.T))
    close(hearth.linalg.vander(tensor(B[0]), N=4), numpy.vander(B[0], 4, increasing=True))
    close(hearth.renorm(x, 2, 0, 1.0).norm(dim=1), numpy.ones(3), 1e-6)


def test_beta_zero_reads_nothing():
    nothing = hearth.full((3, 2), float("nan"), dtype=hearth.float64, requires_grad=True)
    result = hearth.addmm(nothing, tensor(A), tensor(B), beta=0)
    close(result.detach(), A @ B)
    result.sum().backward()
    assert not nothing.grad.any()


def test_low_rank():
    hearth.manual_seed(0)
    x = hearth.randn(40, 3) @ hearth.randn(3, 20)
    u, s, v = hearth.svd_lowrank(x, q=3)
    close((u * s) @ v.T, x.numpy(), 1e-3)
    u, s, v = hearth.pca_lowrank(x)
    assert u.shape == (40, 6) and s.shape == (6,) and v.shape == (20, 6)
    close((u * s) @ v.T, x.numpy() - x.numpy().mean(0), 1e-3)


def test_some_eigenvalues_of_a_large_matrix():
    hearth.manual_seed(1)
    x = hearth.randn(60, 60, dtype=hearth.float64)
    a, b = x @ x.mT, hearth.diag(hearth.arange(1, 61, dtype=hearth.float64))
    expected = numpy.linalg.eigvalsh(a.numpy())
    for largest in (True, False):
        w, v = hearth.lobpcg(a, 3, largest=largest, tol=1e-9)
        close(w, expected[::-1][:3] if largest else expected[:3], 1e-6)
        close(a @ v, (v * w).numpy(), 1e-4)
    w, v = hearth.lobpcg(a, 2, B=b, X=x[:, :4].clone(), n=4, tol=1e-9)
    close(a @ v, (b @ v * w).numpy(), 1e-4)
    a.requires_grad_()
    w, v = hearth.lobpcg(a, 2, tol=1e-12)
    full = hearth.linalg.eigh(a)
    loss = [(w.sum() + v.square()[:5].sum()),
            (full.eigenvalues[-2:].sum() + full.eigenvectors[:, -2:].square()[:5].sum())]
    got, wanted = (hearth.autograd.grad(one, a)[0] for one in loss)
    close((got + got.mT) / 2, ((wanted + wanted.mT) / 2).numpy(), 1e-6)
    with pytest.raises(ValueError, match="three times"):
        hearth.lobpcg(a, 30)


def test_functions_can_be_pickled():
    for function in (hearth.linalg.eigh, hearth.fft.rfft, hearth.matmul):
        assert pickle.loads(pickle.dumps(function)) is function


def test_errors():
    with pytest.raises(hearth.linalg.LinAlgError, match="singular"):
        hearth.linalg.inv(hearth.zeros(2, 2))
    assert issubclass(hearth.linalg.LinAlgError, RuntimeError)
    with pytest.raises(hearth.linalg.LinAlgError, match="batch element 1"):
        hearth.linalg.cholesky(hearth.stack([hearth.eye(2), -hearth.eye(2)]))
    with pytest.raises(NotImplementedError):
        hearth.linalg.inv(hearth.eye(2, dtype=hearth.float16))
    with pytest.raises(RuntimeError, match="UPLO"):
        hearth.linalg.eigh(hearth.eye(2), UPLO="X")
    with pytest.raises(RuntimeError, match="driver"):
        hearth.linalg.svd(hearth.eye(2), driver="gesvd")
    with pytest.raises(TypeError):
        hearth.linalg.solve_triangular(hearth.eye(2), hearth.eye(2))
