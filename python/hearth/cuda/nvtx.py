"""torch.cuda.nvtx: ranges for NVIDIA's profilers, which need CUDA."""


def _refuse(*arguments, **settings):
    raise RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")


range_push = range_pop = range_start = range_end = mark = _refuse


class range:  # noqa: A001 - PyTorch's name
    """A block as a range: refused on entry."""

    def __init__(self, msg, *args, **kwargs):
        self.msg = msg

    def __enter__(self):
        _refuse()

    def __exit__(self, *exception):
        return None
