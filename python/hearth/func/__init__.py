"""torch.func: derivatives and vectorising as functions of functions."""
from .derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp  # noqa: F401
from .modules import functional_call, stack_module_state  # noqa: F401
from .vectorize import vmap  # noqa: F401


def functionalize(func, *, remove="mutations"):
    """In-place ops compute the same values here, so this is `func` itself."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}.")
    return func


__all__ = ["grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "vmap", "linearize", "functional_call",
           "stack_module_state", "functionalize"]
