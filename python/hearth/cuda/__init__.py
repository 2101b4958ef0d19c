"""torch.cuda on a machine where hearth has no CUDA device: questions are answered, seeds are taken, work is refused."""
from .._names import missing
from . import amp, nvtx  # noqa: F401

has_half = False
has_magma = False
default_generators = ()


def _no_cuda(*arguments, **settings):
    raise AssertionError("Torch not compiled with CUDA enabled")


def is_available() -> bool:
    """False: hearth has no CUDA device here."""
    return False


def is_initialized() -> bool:
    """False, as CUDA is never started."""
    return False


def device_count() -> int:
    """0."""
    return 0


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def is_tf32_supported() -> bool:
    """False."""
    return False


def is_current_stream_capturing() -> bool:
    """False: there are no CUDA graphs."""
    return False


def get_arch_list() -> list:
    """The GPU architectures that hearth is built for: none."""
    return []


def get_gencode_flags() -> str:
    """The compiler flags for them: none."""
    return ""


def _seed(seed: int) -> None:
    """Takes a seed for devices that are not there, as PyTorch does on a machine without a GPU."""
    int(seed)


manual_seed = manual_seed_all = _seed


def seed() -> None:
    """Seeds no device."""


seed_all = empty_cache = ipc_collect = seed


def _nothing(device=None) -> int:
    """0: no memory of a device is in use."""
    return 0


memory_allocated = max_memory_allocated = memory_reserved = max_memory_reserved = _nothing
memory_cached = max_memory_cached = _nothing


def memory_stats(device=None) -> dict:
    """No figures: there is no allocator."""
    return {}


def get_rng_state_all() -> list:
    """The states of no devices."""
    return []


def set_rng_state_all(new_states) -> None:
    """Sets the states of no devices; an error for any state."""
    for _ in new_states:
        _no_cuda()


init = synchronize = current_device = set_device = get_device_name = get_device_properties = _no_cuda
get_device_capability = get_rng_state = set_rng_state = initial_seed = current_stream = default_stream = _no_cuda
set_stream = mem_get_info = memory_summary = memory_snapshot = reset_peak_memory_stats = _no_cuda
reset_max_memory_allocated = reset_max_memory_cached = set_per_process_memory_fraction = _no_cuda
current_blas_handle = can_device_access_peer = utilization = temperature = power_draw = clock_rate = _no_cuda
make_graphed_callables = graph_pool_handle = reset_accumulated_memory_stats = _no_cuda


class _Refused:
    """Something of a CUDA device: cannot be made."""

    def __init__(self, *arguments, **settings):
        _no_cuda()


class Stream(_Refused):
    """A CUDA stream: refused."""


class ExternalStream(Stream):
    """A CUDA stream of another library: refused."""


class Event(_Refused):
    """A CUDA event: refused."""


class CUDAGraph(_Refused):
    """A CUDA graph: refused."""


class graph(_Refused):
    """A block captured as a CUDA graph: refused."""


class device:
    """A block with a chosen device: a negative index or None chooses none; any other is refused."""

    def __init__(self, device):
        self.idx = -1 if device is None else getattr(device, "index", device)

    def __enter__(self):
        if self.idx is None or self.idx >= 0:
            _no_cuda()

    def __exit__(self, *exception):
        return False


class device_of(device):
    """A block on the device of a tensor, when it is a CUDA tensor."""

    def __init__(self, obj):
        super().__init__(obj.get_device() if getattr(obj, "is_cuda", False) else -1)


class stream:
    """A block on a stream; None chooses none, as in PyTorch."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        return None

    def __exit__(self, *exception):
        return None


StreamContext = stream


class OutOfMemoryError(RuntimeError):
    """A device has no memory left."""


class CudaError(RuntimeError):
    """An error of the CUDA runtime."""


AcceleratorError = DeferredCudaCallError = CudaError


def __getattr__(name):
    raise missing("torch.cuda", name, globals())
