"""Whether hearth has Intel's MKL."""


def is_available() -> bool:
    """False."""
    return False
