"""torch.save and torch.load: PyTorch's zip format both ways, its older stream format too; loading never runs code.

    >>> torch.save({"step": 3, "w": torch.ones(2)}, "state.pt")
    >>> torch.load("state.pt")
    {'step': 3, 'w': tensor([1., 1.])}
"""
import io
import os
import struct
import sys

import hearth

from ._pickle import archive, rebuild
from ._pickle.reader import Reader, Rules, refuse
from ._pickle.rules import CheckpointRules

DEFAULT_PROTOCOL = 2
MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of the older stream format
STREAM_PROTOCOL = 1001
_declared = {}  # "module.name" -> class or function that the program vouches for


# -- what the program vouches for --


def _entries(safe_globals):
    table = {}
    for entry in safe_globals:
        value, path = entry if isinstance(entry, tuple) else (entry, None)
        if path is None:
            from ._pickle.names import torch_path

            name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
            if name is None:
                raise TypeError(f"add_safe_globals: a class, a function or a (class, name) pair is wanted, not {entry!r}")
            path = ".".join(torch_path(value, value.__module__ or "builtins", name))
        table[path] = value
    return table


def add_safe_globals(safe_globals: list) -> None:
    """Lets checkpoints name (and build or call) these classes and functions with `weights_only=True`."""
    _declared.update(_entries(safe_globals))


def get_safe_globals() -> list:
    """What add_safe_globals has been given."""
    return list(_declared.values())


def clear_safe_globals() -> None:
    """Forgets all that add_safe_globals has been given."""
    _declared.clear()


class safe_globals:
    """A context in which these classes and functions are declared safe, besides those that are already."""

    def __init__(self, safe_globals: list):
        self._entries = _entries(safe_globals)

    def __enter__(self):
        self._before = dict(_declared)
        _declared.update(self._entries)
        return self

    def __exit__(self, *exception):
        _declared.clear()
        _declared.update(self._before)


# -- saving --


def save(obj, f, pickle_module=None, pickle_protocol=DEFAULT_PROTOCOL, _use_new_zipfile_serialization=True,
         _disable_byteorder_record=False) -> None:
    """Writes `obj` to the path or binary file `f`; tensors that share a storage still share it when loaded.

    Example: `torch.save(model.state_dict(), "model.pt")`.
    """
    _standard_pickle("save", pickle_module)
    if isinstance(f, (str, os.PathLike)) and not os.path.isdir(os.path.dirname(os.fspath(f)) or "."):
        raise RuntimeError(f"Parent directory {os.path.dirname(os.fspath(f))} does not exist.")
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError(f"save: a path or a file with a write method is wanted, not {type(f).__name__}")
    if not 0 <= pickle_protocol <= 5:
        raise ValueError(f"save: pickle_protocol must lie in 0..5, not {pickle_protocol}")
    (_save_zip if _use_new_zipfile_serialization else _save_stream)(obj, f, max(pickle_protocol, 2))


def _standard_pickle(name, module):
    import pickle

    if module not in (None, pickle):
        raise NotImplementedError(f"{name}: another pickle_module than Python's is not supported")


def _contents(flat):
    """The bytes of a uint8 tensor as a buffer."""
    try:
        return memoryview(flat)
    except TypeError:
        return memoryview(flat.numpy())


def _pickled(obj, protocol, legacy=False):
    from ._pickle.writer import write

    text = io.BytesIO()
    storages, item_sizes = write(obj, text, protocol, legacy)
    return text.getvalue(), {key: flat.cpu() for key, flat in storages.items()}, item_sizes


def _save_zip(obj, f, protocol):
    body, storages, _ = _pickled(obj, protocol)
    prefix = archive.archive_name(f)
    container = archive.ArchiveWriter(os.fspath(f) if isinstance(f, os.PathLike) else f, prefix)
    try:
        container.write("data.pkl", body)
        container.write(".format_version", b"1")
        container.write(".storage_alignment", str(archive.ALIGNMENT).encode())
        container.write("byteorder", sys.byteorder.encode())
        for key, flat in storages.items():
            container.write(f"data/{key}", _contents(flat) if flat.numel() else b"")
        container.write("version", b"3\n")
        container.write(".data/serialization_id", _identity(body, storages))
    finally:
        container.close()


def _identity(body, storages):
    """40 digits that follow from the contents, as PyTorch writes them."""
    import zlib

    records = sum(zlib.crc32(key.encode()) + flat.numel() for key, flat in storages.items())
    return f"{zlib.crc32(body):020d}{records % 10**20:020d}".encode()


def _save_stream(obj, f, protocol):
    import pickle

    body, storages, item_sizes = _pickled(obj, protocol, legacy=True)
    sizes = {"short": 2, "int": 4, "long": 4}
    about = {"protocol_version": STREAM_PROTOCOL, "little_endian": sys.byteorder == "little", "type_sizes": sizes}
    with _opened(f, "wb") as file:
        for part in (MAGIC, STREAM_PROTOCOL, about):
            file.write(pickle.dumps(part, 2))
        file.write(body)
        file.write(pickle.dumps(sorted(storages), 2))
        for key in sorted(storages):
            flat = storages[key]
            file.write(struct.pack("<q", flat.numel() // item_sizes[key]))
            file.write(bytes(_contents(flat)) if flat.numel() else b"")


class _opened:
    """A path opened, or a file as it is and left open."""

    def __init__(self, f, mode):
        self._own = isinstance(f, (str, os.PathLike))
        self._file = open(f, mode) if self._own else f

    def __enter__(self):
        return self._file

    def __exit__(self, *exception):
        if self._own:
            self._file.close()


# -- loading --


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Reads what `save` (or PyTorch) wrote: tensors, containers, and the classes that are declared safe.

    `map_location`: None, a device, a dict of locations, or a function of (storage, location). With `mmap=True` a
    file's storages are mapped, copied on write. With `weights_only=False` whole modules are rebuilt too, from classes
    that are already imported; no constructor and no function of the stream's choice runs in either case.
    Raises pickle.UnpicklingError for what is refused, RuntimeError for a damaged file.
    """
    _standard_pickle("load", pickle_module)
    unknown = set(pickle_load_args) - {"encoding", "errors", "fix_imports"}
    if unknown:
        raise TypeError(f"load: unknown arguments {sorted(unknown)}")
    strict = True if weights_only is None else bool(weights_only)
    place = _Placement(map_location)
    mapped = bool(mmap)
    if mapped and not isinstance(f, (str, os.PathLike)):
        raise ValueError("f must be a file path in order to use the mmap argument")
    with _opened(f, "rb") as file:
        if not hasattr(file, "read") or not hasattr(file, "seek"):
            raise AttributeError(f"load: a path or a seekable binary file is wanted, not {type(file).__name__}")
        start = file.tell()
        head = file.read(4)
        file.seek(start)
        if head == b"PK\x03\x04":
            label = os.fspath(f) if isinstance(f, (str, os.PathLike)) else "the file"
            return _load_zip(file if not start else io.BytesIO(file.read()), label, place, strict, mapped)
        if mapped:
            raise RuntimeError("mmap can only be used with files saved with `torch.save`'s zip format")
        if len(head) < 4:
            raise EOFError("load: the file is empty or cut off: Ran out of input")
        return _load_stream(file.read(), place, strict)


class _Placement:
    """Where storages go: the map_location argument, resolved for one location string at a time."""

    def __init__(self, map_location):
        self._map = map_location
        if isinstance(map_location, (str, bytes)):
            self._map = hearth.device(map_location if isinstance(map_location, str) else map_location.decode())
        elif not (map_location is None or callable(map_location) or isinstance(map_location, (dict, hearth.device))):
            raise TypeError(f"load: map_location of type {type(map_location).__name__}")

    def of(self, location, flat=None):
        """The device for a location; `flat` is what a function as map_location is given, as a storage."""
        target = self._map
        if isinstance(target, dict):
            location, target = str(target.get(location, location)), None
        if callable(target) and not isinstance(target, hearth.device):
            chosen = target(hearth.storage.UntypedStorage(flat), location)
            if chosen is not None:
                return hearth.device(getattr(chosen, "device", None) or "cpu")
            target = None
        device = target if target is not None else _location_device(location)
        if device.type not in ("cpu", "meta"):
            raise RuntimeError(f"Attempting to deserialize object on {device}, but hearth has no such device here; "
                               "use torch.load with map_location=torch.device('cpu') to map your storages to the CPU")
        return device


def _location_device(location):
    try:
        return hearth.device(location)
    except (RuntimeError, ValueError, TypeError):
        refuse(f"a storage lies on an unknown device: {location[:40]!r}")


def _empty_bytes(count):
    return hearth.empty(count, dtype=hearth.uint8)


def _load_zip(file, label, place, strict, mapped):
    records = archive.ArchiveReader(file, label)
    if records.has("byteorder") and records.read("byteorder").strip() != sys.byteorder.encode():
        raise NotImplementedError(f"load: {label} has the other byte order, which is not supported")
    mapping = _map_file(file) if mapped else None
    storages = {}

    def load_storage(dtype, key, location, count):
        item = dtype.itemsize if dtype is not None else 1
        if key not in storages:
            name = f"data/{key}"
            size = records.size(name)
            if count * item != size:
                refuse(f"the storage {key[:40]} is said to have {count} items of {item} bytes, but {size} bytes")
            if mapping is not None and size:
                flat = hearth.frombuffer(mapping, dtype=hearth.uint8, count=size, offset=records.offset(name))
            else:
                flat = _empty_bytes(size)
                if size:
                    records.read_into(name, _contents(flat))
            storages[key] = (flat, place.of(location, flat))
        flat, device = storages[key]
        if count * item > flat.numel():
            refuse(f"the storage {key[:40]} is named with two sizes")
        return _given(flat, dtype, count, device)

    body = records.read("data.pkl")
    return Reader(body, CheckpointRules(strict, _declared, load_storage)).read()


def _map_file(file):
    import mmap

    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _given(flat, dtype, count, device):
    """A storage as the stream's tensors take it; an untyped one is a storage object, which may stand by itself."""
    if dtype is None:
        return hearth.storage.UntypedStorage(flat)
    return rebuild.Storage(flat, dtype, count, device)


def _load_stream(data, place, strict):
    plain = Rules()
    reader = Reader(data, plain)
    first = reader.read() if data[:1] == b"\x80" else None
    if first != MAGIC:
        if b"ustar" in data[257:263]:
            raise NotImplementedError("load: the tar format of PyTorch before 0.2 is not supported")
        refuse("Invalid magic number; the file is no checkpoint")
    reader = Reader(data, plain, reader.position)
    version = reader.read()
    if version != STREAM_PROTOCOL:
        raise RuntimeError(f"Invalid protocol version: {version!r}")
    reader = Reader(data, plain, reader.position)
    about = reader.read()
    if not isinstance(about, dict) or about.get("little_endian") is not (sys.byteorder == "little"):
        raise NotImplementedError("load: the stream has the other byte order, which is not supported")
    storages, promised = {}, [0]

    def load_storage(dtype, key, location, count):
        if dtype is None:
            refuse("an untyped storage in a stream")
        if key not in storages:
            promised[0] += count * dtype.itemsize
            if promised[0] > len(data):
                refuse("the storages are said to be larger than the file")
            flat = _empty_bytes(count * dtype.itemsize)
            storages[key] = (flat, dtype, place.of(location, flat))
        flat, first_dtype, device = storages[key]
        if count * dtype.itemsize > flat.numel():
            refuse(f"the storage {key[:40]} is named with two sizes")
        return rebuild.Storage(flat, dtype, count, device)

    # The storages' bytes come last, but some states (a generator's) need them: find them first, then build.
    rules = CheckpointRules(strict, _declared, load_storage)
    begin = reader.position
    rules.probing = True
    reader = Reader(data, rules, begin)
    reader.read()
    _fill(data, reader.position, storages)
    rules.probing = False
    return Reader(data, rules, begin).read()


def _fill(data, position, storages):
    """The storages' bytes follow the pickles, in the order of a list of keys."""
    reader = Reader(data, Rules(), position)
    keys = reader.read()
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
        refuse("the list of storages does not match the tensors")
    for key in keys:
        flat, dtype, _ = storages[key]
        count = reader.number("<q")
        if count * dtype.itemsize != flat.numel():
            refuse(f"the storage {str(key)[:40]} has {count} items where the tensors expect another number")
        if count:
            _contents(flat)[:] = reader.take(flat.numel())


def get_default_load_endianness():
    """None: files say their byte order, and PyTorch's default is the machine's."""
    return None


def get_crc32_options() -> bool:
    """True: checksums are written and checked."""
    return True
