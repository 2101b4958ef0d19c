"""torch.linalg: decompositions, solvers and norms of matrices."""
from ._C import (  # noqa: F401
    _LinAlgError as LinAlgError,
    _linalg_cholesky as cholesky, _linalg_cholesky_ex as cholesky_ex, _linalg_cond as cond, _linalg_cross as cross,
    _linalg_det as det, _linalg_diagonal as diagonal, _linalg_eig as eig, _linalg_eigh as eigh,
    _linalg_eigvals as eigvals, _linalg_eigvalsh as eigvalsh, _linalg_householder_product as householder_product,
    _linalg_inv as inv, _linalg_inv_ex as inv_ex, _linalg_ldl_factor as ldl_factor,
    _linalg_ldl_factor_ex as ldl_factor_ex, _linalg_ldl_solve as ldl_solve, _linalg_lstsq as lstsq, _linalg_lu as lu,
    _linalg_lu_factor as lu_factor, _linalg_lu_factor_ex as lu_factor_ex, _linalg_lu_solve as lu_solve,
    _linalg_matmul as matmul, _linalg_matrix_exp as matrix_exp, _linalg_matrix_norm as matrix_norm,
    _linalg_matrix_power as matrix_power, _linalg_matrix_rank as matrix_rank, _linalg_matrix_sqrth as matrix_sqrth,
    _linalg_multi_dot as multi_dot, _linalg_norm as norm, _linalg_pinv as pinv, _linalg_polar as polar,
    _linalg_qr as qr, _linalg_slogdet as slogdet, _linalg_solve as solve, _linalg_solve_ex as solve_ex,
    _linalg_solve_triangular as solve_triangular, _linalg_svd as svd, _linalg_svdvals as svdvals,
    _linalg_tensorinv as tensorinv, _linalg_tensorsolve as tensorsolve, _linalg_vander as vander,
    _linalg_vecdot as vecdot, _linalg_vector_norm as vector_norm,
)
