"""`function`: makes a Python function an op of the package, with the faces that ops have."""
import sys

from . import _C

_package = sys.modules[__package__]


def function(*faces, name=None, module=None):
    """Registers the function below it as hearth.NAME and, by `faces`, as

    "method"       Tensor.NAME
    "inplace"      Tensor.NAME_ and hearth.NAME_
    "method_only"  Tensor.NAME, not hearth.NAME
    "hidden"       neither: only what `module` (a namespace such as hearth.special's globals()) gets

    A parameter `out` is handled here: the body never sees it. Keywords may have NumPy's names (axis, keepdims, x).
    Example:
        @function("method")
        def deg2rad(input, *, out=None): return input * (math.pi / 180)
    """
    unknown = set(faces) - {"method", "inplace", "method_only", "hidden"}
    if unknown:
        raise ValueError(f"function: faces not known: {sorted(unknown)}")

    def register(body):
        known = name or body.__name__
        if body.__code__.co_flags & 0x04:  # *args: such functions sort their arguments themselves
            made = body
        else:
            made = _C.python_function(known, body, False)
        if "method_only" not in faces and "hidden" not in faces:
            setattr(_package, known, made)
        if module is not None:
            module[known] = made
        if "method" in faces or "method_only" in faces:
            setattr(_C.Tensor, known, made)
        if "inplace" in faces:
            written = _C.python_function(known, body, True)
            setattr(_C.Tensor, known + "_", written)
            if "method_only" not in faces and "hidden" not in faces:
                setattr(_package, known + "_", written)
        return made

    return register


def alias(new, old, method=True):
    """hearth.new (and Tensor.new) is hearth.old by another name, its in-place form too."""
    for suffix in ("", "_"):
        made = getattr(_package, old + suffix, None)
        if made is not None:
            setattr(_package, new + suffix, made)
        if method and hasattr(_C.Tensor, old + suffix):
            setattr(_C.Tensor, new + suffix, getattr(_C.Tensor, old + suffix))
