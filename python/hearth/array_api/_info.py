"""What __array_namespace_info__ tells."""
import hearth

from ._dtypes import KINDS, default_complex, name_of


class NamespaceInfo:
    """Devices, types and abilities of hearth.array_api."""

    def capabilities(self):
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self):
        return hearth.device("cpu")

    def devices(self):
        return (hearth.device("cpu"),)

    def default_dtypes(self, *, device=None):
        """The types of new arrays when none is asked for, by kind."""
        self._check(device)
        return {"real floating": hearth.get_default_dtype(), "complex floating": default_complex(),
                "integral": hearth.int64, "indexing": hearth.int64}

    def dtypes(self, *, device=None, kind=None):
        """The types there are by name, all or those of a kind (a tuple: of any of these kinds)."""
        self._check(device)
        kinds = ("bool", "numeric") if kind is None else kind if isinstance(kind, tuple) else (kind,)
        for one in kinds:
            if one not in KINDS:
                raise ValueError(f"dtypes: unknown kind {one!r}")
        return {name_of(dtype): dtype for one in kinds for dtype in KINDS[one]}

    def _check(self, device):
        if device is not None and hearth.device(device) not in self.devices():
            raise ValueError(f"no device {device}; there are {self.devices()}")


def __array_namespace_info__():
    """An object that tells devices, types and abilities."""
    return NamespaceInfo()
