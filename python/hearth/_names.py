"""What is said about a name that hearth does not have."""
from .version import __version__


def missing(module, name, known):
    """An AttributeError: the name, the version, and the nearest names that are there."""
    text = f"{module}.{name} is not in hearth {__version__}"
    if not name.startswith("__"):
        from difflib import get_close_matches

        near = get_close_matches(name, [k for k in known if not k.startswith("_")], 3, 0.6)
        if near:
            text += f"; nearest: {', '.join(near)}"
    error = AttributeError(text)
    error.name = name
    return error
