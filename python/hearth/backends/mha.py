"""The fast path of transformer layers in inference."""
_enabled = True


def get_fastpath_enabled() -> bool:
    """What set_fastpath_enabled was given; hearth has one path, so the results do not depend on it."""
    return _enabled


def set_fastpath_enabled(value: bool) -> None:
    """Remembers the wish."""
    global _enabled
    _enabled = bool(value)
