"""Variable under its old address."""
from . import Variable  # noqa: F401
