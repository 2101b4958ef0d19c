"""torch.return_types: the named tuples in which some ops give their results."""
from . import _C

_TWO = ("values", "indices")
_FIELDS = {
    **dict.fromkeys("max min median nanmedian mode kthvalue sort topk cummax cummin".split(), _TWO),
    "aminmax": ("min", "max"), "histogram": ("hist", "bin_edges"), "histogramdd": ("hist", "bin_edges"),
    "frexp": ("mantissa", "exponent"), "slogdet": ("sign", "logabsdet"), "qr": ("Q", "R"), "svd": ("U", "S", "V"),
    "geqrf": ("a", "tau"), "lu_unpack": ("P", "L", "U"), "triangular_solve": ("solution", "cloned_coefficient"),
    "linalg_eig": ("eigenvalues", "eigenvectors"), "linalg_eigh": ("eigenvalues", "eigenvectors"),
    "linalg_slogdet": ("sign", "logabsdet"), "linalg_qr": ("Q", "R"), "linalg_svd": ("U", "S", "Vh"),
    "linalg_cholesky_ex": ("L", "info"), "linalg_inv_ex": ("inverse", "info"),
    "linalg_lu": ("P", "L", "U"), "linalg_lu_factor": ("LU", "pivots"),
    "linalg_lu_factor_ex": ("LU", "pivots", "info"), "linalg_ldl_factor": ("LD", "pivots"),
    "linalg_ldl_factor_ex": ("LD", "pivots", "info"), "linalg_solve_ex": ("result", "info"),
    "linalg_polar": ("U", "H"), "linalg_lstsq": ("solution", "residuals", "rank", "singular_values"),
}


def __getattr__(name):
    if name not in _FIELDS:
        raise AttributeError(f"module 'torch.return_types' has no attribute '{name}'")
    globals()[name] = made = _C._return_type(name, _FIELDS[name])
    return made


def __dir__():
    return sorted(_FIELDS)
