"""torch.layout, torch.memory_format and the other small enumerations, whose members live in the top namespace."""


class layout:
    """How elements are laid out; hearth has `torch.strided`."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"torch.{self._name}"

    def __reduce__(self):
        return self._name


class memory_format(layout):
    """The order of dimensions in memory."""


class qscheme(layout):
    """Quantization schemes, names only."""


strided, sparse_coo, sparse_csr, sparse_csc = layout("strided"), layout("sparse_coo"), layout("sparse_csr"), layout("sparse_csc")
sparse_bsr, sparse_bsc, _mkldnn, jagged = layout("sparse_bsr"), layout("sparse_bsc"), layout("_mkldnn"), layout("jagged")
contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")

__all__ = ["layout", "memory_format", "qscheme", "strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr",
           "sparse_bsc", "_mkldnn", "jagged", "contiguous_format", "preserve_format", "channels_last", "channels_last_3d"]
