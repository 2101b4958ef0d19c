"""Writes objects as pickles that PyTorch reads: hearth's classes under PyTorch's names, tensors as storages and views."""
import pickle
from collections import OrderedDict

import hearth

from . import names, rebuild

_FUNCTIONS = {
    rebuild.rebuild_tensor: ("torch._utils", "_rebuild_tensor_v2"),
    rebuild.rebuild_tensor_v3: ("torch._utils", "_rebuild_tensor_v3"),
    rebuild.rebuild_parameter: ("torch._utils", "_rebuild_parameter"),
    rebuild.rebuild_parameter_with_state: ("torch._utils", "_rebuild_parameter_with_state"),
    rebuild.meta_tensor: ("torch._utils", "_rebuild_meta_tensor_no_storage"),
}


_PLAIN = (str, int, float, bool, bytes, list, dict, tuple, type(None), OrderedDict)


def _rebuild_typed():
    from .rules import rebuild_typed

    return rebuild_typed


class _Path:
    """A global by its path alone: a storage type, a dtype, a constant."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _StorageRecord:
    """Stands in the stream for one storage; becomes a persistent id."""

    def __init__(self, key, path, count):
        self.key, self.path, self.count = key, path, count


class Writer(pickle._Pickler):
    """Pickles to `file`; afterwards `storages` maps each key to the flat uint8 tensor whose bytes belong in its record.

    `legacy` adds the field that PyTorch's older stream format has in its persistent ids.
    """

    def __init__(self, file, protocol=2, legacy=False):
        super().__init__(file, protocol)
        self.storages, self._keys, self._types = {}, {}, {}
        self._paths, self._legacy, self.item_sizes = {}, legacy, {}
        self._hearth_kinds = _by_kind()

    def persistent_id(self, obj):
        if type(obj).__module__ == "hearth.storage" and hasattr(obj, "untyped"):
            obj = self._record(obj.untyped()._flat, untyped=True)
        if type(obj) is _StorageRecord:
            identifier = ("storage", obj.path, obj.key, "cpu", obj.count)
            return (*identifier, None) if self._legacy else identifier
        return None

    def reducer_override(self, obj):
        if type(obj) in _PLAIN:
            return NotImplemented
        if isinstance(obj, hearth.Tensor):
            return self._reduce_tensor(obj)
        for kind, reduce in self._hearth_kinds:
            if isinstance(obj, kind):
                return reduce(self, obj)
        if type(obj) is hearth._C.Function:
            return obj.__name__  # an operation: written by its name
        return NotImplemented

    def save_global(self, obj, name=None):
        if type(obj) is _Path:
            module, name = obj.module, obj.name
        elif getattr(obj, "__module__", "") == rebuild.__name__ and obj in _FUNCTIONS:
            module, name = _FUNCTIONS[obj]
        elif obj is _rebuild_typed():
            module, name = "torch._tensor", "_rebuild_from_type_v2"
        else:
            name = name or getattr(obj, "__qualname__", None) or obj.__name__
            found = pickle.whichmodule(obj, name)
            module, name = names.torch_path(obj, found, name)
            if module == found:
                return super().save_global(obj, name)
        if self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + module.encode() + b"\n" + name.encode() + b"\n")
        self.memoize(obj)

    def save_path(self, module, name):
        """One shared _Path an item, so that the memo works."""
        path = self._paths.setdefault((module, name), _Path(module, name))
        return path

    dispatch = dict(pickle._Pickler.dispatch)
    dispatch[_Path] = dispatch[type(save_global)] = save_global

    # -- tensors --

    def _reduce_tensor(self, tensor):
        hooks = OrderedDict()
        state = dict(getattr(tensor, "__dict__", None) or {})
        if isinstance(tensor, hearth.nn.Parameter):
            data = tensor.detach()
            if state:
                return rebuild.rebuild_parameter_with_state, (data, tensor.requires_grad, hooks, state)
            return rebuild.rebuild_parameter, (data, tensor.requires_grad, hooks)
        function, arguments = self._plain_tensor(tensor, hooks)
        if type(tensor) is not hearth.Tensor or state:
            return _rebuild_typed(), (function, type(tensor), arguments, state)
        return function, arguments

    def _plain_tensor(self, tensor, hooks):
        plain = tensor.detach()
        if plain.device.type == "meta":
            geometry = (tuple(plain.size()), tuple(plain.stride()))
            return rebuild.meta_tensor, (self._dtype(plain.dtype), *geometry, tensor.requires_grad)
        if plain.dtype.is_complex and hasattr(plain, "resolve_conj"):
            plain = plain.resolve_conj()
        if hasattr(plain, "resolve_neg"):
            plain = plain.resolve_neg()
        record = self._record(plain)
        geometry = (plain.storage_offset(), tuple(plain.size()), tuple(plain.stride()))
        if str(plain.dtype)[len("torch."):] in names.STORAGE_OF:
            return rebuild.rebuild_tensor, (record, *geometry, tensor.requires_grad, hooks)
        return rebuild.rebuild_tensor_v3, (record, *geometry, tensor.requires_grad, hooks, self._dtype(plain.dtype))

    def _record(self, tensor, untyped=False):
        size, pointer = tensor._storage_bytes(), tensor._storage_ptr()
        identity = (pointer, size) if size else ("empty", id(tensor))
        name = None if untyped else names.STORAGE_OF.get(str(tensor.dtype)[len("torch."):])
        path = self.save_path("torch", name) if name else self.save_path("torch.storage", "UntypedStorage")
        key = self._keys.get(identity)
        if key is None:
            key = self._keys[identity] = str(len(self._keys))
            self.storages[key] = rebuild.flat_bytes(tensor)
            self._types[key] = path
            self.item_sizes[key] = tensor.dtype.itemsize if name else 1
        elif self._types[key] is not path and not untyped:
            raise RuntimeError("save: two tensors view one storage as different dtypes; save a clone of one of them")
        return _StorageRecord(key, path, size // tensor.dtype.itemsize if name else size)

    def _dtype(self, dtype):
        return self.save_path("torch", str(dtype)[len("torch."):])


def _reduce_generator(writer, generator):
    state = (generator.initial_seed(), None, generator.get_state())
    return hearth.Generator, (hearth.device(generator.device),), state


def _by_kind():
    """How the small kinds of hearth's objects are written."""
    kinds = [
        (hearth.Size, lambda writer, size: (hearth.Size, (tuple(size),))),
        (hearth.device, lambda writer, d: (hearth.device, (d.type,) if d.index is None else (d.type, d.index))),
        (hearth.Generator, _reduce_generator),
    ]
    return kinds


def write(obj, file, protocol=2, legacy=False):
    """Pickles `obj` to `file`; returns the storages and their items' sizes, both by key."""
    writer = Writer(file, protocol, legacy)
    for name in ("dtype", "layout", "memory_format"):
        kind = getattr(hearth, name, None)
        if isinstance(kind, type):
            writer.dispatch = {**writer.dispatch, kind: _save_constant}
    writer.dump(obj)
    return writer.storages, writer.item_sizes


def _save_constant(writer, constant):
    writer.save(writer.save_path("torch", str(constant)[len("torch."):]))
