"""Python's multiprocessing, with tensors that travel through shared memory and `spawn` for a function on n processes."""
import atexit
import glob
import mmap
import multiprocessing as _python
import os
import tempfile
from multiprocessing import *  # noqa: F401,F403 - this module stands in for Python's
from multiprocessing import connection, reduction

import hearth

from ._pickle.rebuild import flat_bytes, over

__all__ = list(_python.__all__) + [
    "ProcessContext",
    "ProcessExitedException",
    "ProcessRaisedException",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]
INLINE_BYTES = 1 << 16  # tensors up to this size travel inside the message
_FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()
_blocks = {}  # address of a shared storage -> _Block
_count = [0]


class _Block:
    """A file in memory, mapped and shared; `flat` is its bytes as a tensor."""

    def __init__(self, path, size, create):
        with open(path, "x+b" if create else "r+b") as file:
            if create:
                os.posix_fallocate(file.fileno(), 0, size)
            elif os.fstat(file.fileno()).st_size < size:
                raise RuntimeError(f"shared memory: {path} is shorter than the tensor in it")
            self.mapping = mmap.mmap(file.fileno(), size)
        self.path, self.size = path, size
        self.flat = hearth.frombuffer(self.mapping, dtype=hearth.uint8)

    @classmethod
    def new(cls, size):
        _count[0] += 1
        return cls(os.path.join(_FOLDER, f"hearth-{os.getpid()}-{_count[0]}"), size, True)


def _remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def forget_blocks(pids) -> None:
    """Removes the shared memory files that these processes left behind."""
    for pid in pids:
        for path in glob.glob(os.path.join(_FOLDER, f"hearth-{pid}-*")):
            _remove(path)


atexit.register(lambda: forget_blocks([os.getpid()]))


def share_memory(tensor):
    """Moves the tensor's storage into shared memory, in place, and returns the tensor; views made before stay behind."""
    if is_shared(tensor) or tensor.numel() == 0:
        return tensor
    source = tensor.detach()
    size = source._storage_bytes()
    block = _Block.new(size)
    block.flat.copy_(flat_bytes(source))
    geometry = (source.storage_offset(), tuple(source.size()), tuple(source.stride()))
    tensor.data = over(block.flat, source.dtype, *geometry)
    _blocks[tensor._storage_ptr()] = block
    return tensor


def is_shared(tensor) -> bool:
    """Whether the tensor's storage lies in memory that other processes see."""
    return tensor.numel() > 0 and tensor._storage_ptr() in _blocks


# -- how tensors are pickled on their way to another process --


def _reduce_tensor(tensor):
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError("Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does "
                           "not support crossing process boundaries.  If you just want to transfer the data, call "
                           "detach() on the tensor before serializing (e.g., putting it on the queue).")
    plain = tensor.detach()
    about = (str(plain.dtype)[len("torch."):], isinstance(tensor, hearth.nn.Parameter), tensor.requires_grad)
    if plain.device.type == "meta":
        return _from_meta, (about, tuple(plain.size()), tuple(plain.stride()))
    size = plain._storage_bytes()
    block = _blocks.get(plain._storage_ptr()) if size else None
    if block is None and size > 2 * plain.numel() * plain.dtype.itemsize:  # a small view of a large storage
        plain = plain.contiguous().clone()
        size = plain._storage_bytes()
    geometry = (plain.storage_offset(), tuple(plain.size()), tuple(plain.stride()))
    if block is not None:
        return _from_block, (about, geometry, block.path, size, True)
    body = flat_bytes(plain)
    if size <= INLINE_BYTES:
        return _from_bytes, (about, geometry, _bytes(body))
    block = _Block.new(size)
    block.flat.copy_(body)
    return _from_block, (about, geometry, block.path, size, False)


def _bytes(flat):
    if not flat.numel():
        return b""
    try:
        return bytes(memoryview(flat))
    except TypeError:
        return flat.numpy().tobytes()


def _finish(flat, about, geometry):
    name, parameter, requires_grad = about
    result = over(flat, getattr(hearth, name), *geometry)
    if parameter:
        return hearth.nn.Parameter(result, requires_grad)
    return result.requires_grad_(True) if requires_grad else result


def _from_meta(about, size, stride):
    return hearth.empty_strided(size, stride, dtype=getattr(hearth, about[0]), device="meta")


def _from_bytes(about, geometry, body):
    flat = hearth.empty(len(body), dtype=hearth.uint8)
    if body:
        flat.copy_(hearth.frombuffer(bytearray(body), dtype=hearth.uint8))
    return _finish(flat, about, geometry)


def _from_block(about, geometry, path, size, lasting):
    known = next((block for block in _blocks.values() if lasting and block.path == path), None)
    block = known or _Block(path, size, False)
    if not lasting:
        _remove(path)
    result = _finish(block.flat, about, geometry)
    if lasting:
        _blocks[result._storage_ptr()] = block
    return result


def init_reductions() -> None:
    """Registers the above for tensors and parameters with Python's multiprocessing."""
    for kind in (hearth.Tensor, hearth.nn.Parameter):
        reduction.ForkingPickler.register(kind, _reduce_tensor)


def dumps(obj) -> bytes:
    """A message for another process; tensors in it travel through shared memory."""
    return bytes(reduction.ForkingPickler.dumps(obj))


def loads(body):
    """What dumps made."""
    return reduction.ForkingPickler.loads(body)


def get_all_sharing_strategies() -> set:
    """The ways in which tensors are shared here: through files in memory."""
    return {"file_system"}


def get_sharing_strategy() -> str:
    """`file_system`."""
    return "file_system"


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepts `file_system`, the only strategy here; AssertionError otherwise."""
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"set_sharing_strategy: {new_strategy!r} is not one of {get_all_sharing_strategies()}")


# -- one function on n processes --


class ProcessException(Exception):
    """A process of `spawn` went wrong; `error_index` says which."""

    def __init__(self, msg, error_index, pid):
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid


class ProcessRaisedException(ProcessException):
    """A process of `spawn` raised an exception; the message holds its traceback."""


class ProcessExitedException(ProcessException):
    """A process of `spawn` ended by a signal or an exit code."""

    def __init__(self, msg, error_index, error_pid, exit_code, signal_name=None):
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name


def _call(fn, number, args, errors):
    import sys
    import traceback

    try:
        fn(number, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        errors.put(traceback.format_exc())
        sys.exit(1)


class ProcessContext:
    """The processes of one `spawn`."""

    def __init__(self, processes, errors):
        self.processes, self._errors = processes, errors
        self._left = dict(enumerate(processes))

    def pids(self):
        return [process.pid for process in self.processes]

    def join(self, timeout=None, grace_period=None):
        """True when all have ended well, False when some still run; the first failure ends the others and is raised."""
        connection.wait([process.sentinel for process in self._left.values()], timeout)
        for number, process in list(self._left.items()):
            if process.exitcode is None:
                continue
            del self._left[number]
            if process.exitcode:
                self._stop()
                self._raise(number, process)
        return not self._left

    def _stop(self):
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        for process in self.processes:
            process.join()

    def _raise(self, number, process):
        if not self._errors[number].empty():
            text = f"\n\n-- Process {number} terminated with the following error:\n{self._errors[number].get()}"
            raise ProcessRaisedException(text, number, process.pid)
        if process.exitcode < 0:
            import signal

            name = signal.Signals(-process.exitcode).name
            raise ProcessExitedException(f"process {number} terminated with signal {name}", number, process.pid,
                                         process.exitcode, name)
        raise ProcessExitedException(f"process {number} terminated with exit code {process.exitcode}", number,
                                     process.pid, process.exitcode)


def start_processes(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Runs `fn(i, *args)` in `nprocs` processes; with `join` waits for them, else returns their ProcessContext."""
    context = _python.get_context(start_method)
    errors, processes = [], []
    for number in range(nprocs):
        queue = context.SimpleQueue()
        process = context.Process(target=_call, args=(fn, number, args, queue), daemon=daemon)
        process.start()
        errors.append(queue)
        processes.append(process)
    result = ProcessContext(processes, errors)
    if not join:
        return result
    while not result.join():
        pass
    return None


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """As start_processes, with fresh interpreters. Example: `mp.spawn(train, args=(world_size,), nprocs=2)`."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)


init_reductions()
