"""Whether hearth has XNNPACK."""

enabled = False


def is_available() -> bool:
    """False."""
    return False
