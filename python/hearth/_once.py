"""Says a thing once a process."""
_said = set()


def say_once(topic: str, text: str) -> None:
    """A UserWarning, the first time this topic comes up."""
    if topic not in _said:
        _said.add(topic)
        import warnings

        warnings.warn(text, UserWarning, stacklevel=3)


def not_here(what: str, instead: str = ""):
    """Raises NotImplementedError that names what hearth does not do, and what to do instead."""
    raise NotImplementedError(f"{what} is not in hearth{': ' + instead if instead else ''}")
