"""oneDNN, which computes hearth's products and convolutions on hosts where its results are invariant."""
import contextlib

enabled = True
deterministic = False
allow_tf32 = True
fp32_precision = "none"


def is_available() -> bool:
    """True."""
    return True


@contextlib.contextmanager
def flags(enabled=False, deterministic=False, allow_tf32=True, fp32_precision="none"):
    """A block with these switches; hearth chooses its kernels by shape and host alone, always deterministically."""
    yield
