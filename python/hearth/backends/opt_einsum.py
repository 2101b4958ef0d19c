"""Contraction orders from the opt_einsum package, which hearth does not use: einsum goes from left to right."""
enabled = False
strategy = None


def is_available() -> bool:
    """False."""
    return False


def get_opt_einsum():
    """None: the package is not used."""
    return None
