"""What a checkpoint may name, call and instantiate: tensors and plain containers always, classes by clear rules only.

Never is a module imported or a callable run because a stream names it. With `weights_only=False` instances are made of
nn modules, optimizers and schedulers, and of plain classes in the program's own, already imported modules: without
calling their constructors, by setting their attributes (`__setstate__` runs where the program's own class has one).
"""
import sys
from collections import Counter, OrderedDict, defaultdict, deque

import hearth

from . import names, rebuild
from .reader import Rules, refuse

_ADVICE = "if you trust it, declare it: torch.serialization.add_safe_globals([{}])"


class CheckpointRules(Rules):
    """Rules for one file; `load_storage(type, key, location, count)` gives a rebuild.Storage."""

    def __init__(self, weights_only, declared, load_storage):
        self.weights_only, self.load_storage = weights_only, load_storage
        self.probing = False  # a first pass that only finds the storages: states are not set
        self.by_name = dict(declared)
        self.declared = {id(value): value for value in self.by_name.values()}
        self.callable = {id(function): (function, build) for function, build in _builders()}
        self.names = _names()

    def find(self, module, name):
        path = f"{module}.{name}"
        if path in self.by_name:
            return self.by_name[path]
        if path in self.names:
            return self.names[path]
        if module == "torch" and name in names.STORAGES:
            return rebuild.StorageType(getattr(hearth, names.STORAGES[name]))
        if path in ("torch.storage.UntypedStorage", "torch.UntypedStorage"):
            return rebuild.StorageType(None)
        if module == "torch" and isinstance(getattr(hearth, name, None), _constants()):
            return getattr(hearth, name)
        if module == "torch" or module.startswith("torch."):
            found = names.own_object(module, name)
        else:
            found = _imported(module, name)
        if found is not None and id(found) in self.declared:
            return found
        if found is not None and not self.weights_only and _may_name(found, module):
            return found
        self._refuse_name(module, name, found)

    def _refuse_name(self, module, name, found):
        path = f"{module}.{name}"
        if self.weights_only:
            refuse(f"Weights only load failed: {path} is neither a tensor nor a plain container; "
                   + _ADVICE.format(name))
        if found is None:
            refuse(f"{path} is not there: import {module} before loading (a checkpoint imports nothing by itself)")
        refuse(f"{path} is refused: loading runs nothing; " + _ADVICE.format(name))

    def call(self, function, arguments, spend):
        known = self.callable.get(id(function))
        spend(1 + sum(len(item) for item in arguments if isinstance(item, (list, tuple, dict, set, str, bytes))))
        if known is not None:
            return known[1](*arguments)
        if id(function) in self.declared:
            return function(*arguments)
        if function is rebuild_typed:
            return self._typed(*arguments)
        members = getattr(function, "_value2member_map_", None)
        if isinstance(function, type) and isinstance(members, dict) and len(arguments) == 1:
            if type(arguments[0]) in (int, str, float, bool) and arguments[0] in members:
                return members[arguments[0]]
        refuse(f"a call of {getattr(function, '__qualname__', type(function).__name__)} is refused: loading runs "
               "nothing; " + _ADVICE.format(getattr(function, "__name__", "...")))

    def _typed(self, function, cls, arguments, state):
        """A tensor subclass: its tensor, then the class, then the attributes."""
        if function not in (rebuild.rebuild_tensor, rebuild.rebuild_tensor_v3) or not isinstance(cls, type):
            refuse("a tensor subclass that is not built from a tensor")
        result = function(*arguments)
        if cls is not hearth.Tensor:
            if not issubclass(cls, hearth.Tensor):
                refuse(f"{cls.__name__} is no tensor class")
            result = result.as_subclass(cls)
        rebuild.set_attributes(result, state)
        return result

    def new(self, cls, arguments, keywords, spend):
        spend(1 + sum(len(item) for item in arguments if isinstance(item, (list, tuple, dict, set, str, bytes))))
        if id(cls) in self.declared and not _is_module(cls):
            return cls.__new__(cls, *arguments, **keywords)
        if id(cls) in self.callable:
            return self.callable[id(cls)][1](*arguments)
        if keywords:
            refuse(f"an instance of {cls.__name__} with keyword arguments")
        if _is_module(cls):
            if arguments:
                refuse(f"an instance of {cls.__name__} with arguments")
            return object.__new__(cls)
        return _plain_instance(cls, arguments)

    def set_state(self, instance, state):
        cls = type(instance)
        if self.probing:
            return
        if isinstance(instance, hearth.Generator):
            rebuild.set_generator_state(instance, state)
        elif _is_module(cls) or (id(cls) in self.declared and hasattr(cls, "__setstate__")):
            if not isinstance(state, (dict, tuple)):
                refuse(f"the state of a {cls.__name__} is no dict")
            instance.__setstate__(state)
        elif cls.__module__ == "numpy" or cls.__module__.startswith("numpy.dtype"):
            _set_numpy_state(instance, state)
        elif cls in (OrderedDict, Counter, defaultdict) or isinstance(instance, hearth.Tensor):
            rebuild.set_attributes(instance, state)
        elif cls.__module__ in ("builtins", "collections", "datetime") or isinstance(instance, type):
            refuse(f"a state for a {cls.__name__}")
        elif _own_setstate(cls):
            if not (_of_the_program(cls.__module__) or cls.__module__.startswith("hearth.")):
                refuse(f"{cls.__name__} has its own __setstate__; " + _ADVICE.format(cls.__name__))
            instance.__setstate__(state)
        else:
            rebuild.set_attributes(instance, state)

    def persistent(self, identifier):
        if type(identifier) is not tuple or len(identifier) not in (5, 6) or identifier[0] != "storage":
            refuse("a persistent id that names no storage")
        kind, key, location, count = identifier[1:5]
        if not isinstance(kind, rebuild.StorageType) or type(key) is not str or type(location) is not str:
            refuse("a storage that is named in an unknown way")
        if type(count) is not int or not 0 <= count < 2**58:
            refuse("a storage of an impossible size")
        return self.load_storage(kind.dtype, key, location, count)


def rebuild_typed(function, cls, arguments, state):
    """Stands for `torch._tensor._rebuild_from_type_v2`; CheckpointRules builds it itself."""
    refuse("a tensor subclass outside a checkpoint")


def _constants():
    kinds = [hearth.dtype]
    for name in ("layout", "memory_format"):
        if isinstance(getattr(hearth, name, None), type):
            kinds.append(getattr(hearth, name))
    return tuple(kinds)


def _names():
    """Paths that every checkpoint may use, and what they are."""
    table = {
        "torch._utils._rebuild_tensor_v2": rebuild.rebuild_tensor,
        "torch._utils._rebuild_tensor": rebuild.rebuild_tensor,
        "torch._utils._rebuild_tensor_v3": rebuild.rebuild_tensor_v3,
        "torch._utils._rebuild_parameter": rebuild.rebuild_parameter,
        "torch._utils._rebuild_parameter_with_state": rebuild.rebuild_parameter_with_state,
        "torch._utils._rebuild_meta_tensor_no_storage": rebuild.meta_tensor,
        "torch._tensor._rebuild_from_type_v2": rebuild_typed,
        "torch.Tensor": hearth.Tensor,
        "torch._C.TensorBase": hearth.Tensor,
        "torch.nn.parameter.Parameter": hearth.nn.Parameter,
        "torch.Size": hearth.Size,
        "torch.device": hearth.device,
        "torch._C.Generator": hearth.Generator,
        "torch.Generator": hearth.Generator,
        "collections.OrderedDict": OrderedDict,
        "collections.Counter": Counter,
        "collections.defaultdict": defaultdict,
        "collections.deque": deque,
        "_codecs.encode": rebuild.as_bytes,
    }
    import argparse
    import types

    for home in ("builtins", "__builtin__"):
        for kind in (set, frozenset, bytearray, bytes, complex, slice, range, list, dict, tuple, int, float, str, bool):
            table[f"{home}.{kind.__name__}"] = kind
    table["argparse.Namespace"] = argparse.Namespace
    table["types.SimpleNamespace"] = types.SimpleNamespace
    table.update(_numpy_names())
    table.update(_library_names())
    return table


def _numpy_names():
    """NumPy's arrays and scalars; only when the program has NumPy loaded."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return {}
    table = {"numpy.dtype": numpy.dtype, "numpy.ndarray": numpy.ndarray}
    for home in ("numpy.core.multiarray", "numpy._core.multiarray"):
        table[home + "._reconstruct"] = _start_array
        table[home + ".scalar"] = _numpy_scalar
    table["numpy._core.numeric._frombuffer"] = table["numpy.core.numeric._frombuffer"] = _array_from_buffer
    return table


def _library_names():
    """Plain values of the standard library: paths and dates, once their module is loaded (it always is by then)."""
    import datetime
    import pathlib

    table = {f"datetime.{name}": getattr(datetime, name) for name in ("date", "datetime", "timedelta", "time")}
    for name in ("PurePath", "PurePosixPath", "PureWindowsPath", "PosixPath", "Path", "WindowsPath"):
        table[f"pathlib.{name}"] = getattr(pathlib, name)
    return table


def _start_array(kind, shape, code):
    """The empty array that NumPy's pickles begin with; its state follows."""
    import numpy

    if kind is not numpy.ndarray:
        refuse("a NumPy array of another class")
    return numpy.empty(0, numpy.int8)


def _set_numpy_state(instance, state):
    """An array's or dtype's state, once it is known to be plain numbers of the right length."""
    import numpy

    if isinstance(instance, numpy.dtype):
        if not (type(state) is tuple and len(state) >= 3 and state[1] in ("<", "|", "=") and state[2:5] == (None,) * 3):
            refuse("a NumPy dtype with fields or foreign byte order")
        return
    if not (type(state) is tuple and len(state) == 5 and isinstance(state[2], numpy.dtype) and type(state[0]) is int):
        refuse("the state of a NumPy array is damaged")
    if type(state[4]) is str:
        state = (*state[:4], state[4].encode("latin-1"))
    shape = rebuild.whole_numbers(state[1], "an array's shape")
    if not isinstance(state[4], (bytes, bytearray)):
        refuse("a NumPy array without bytes")
    rebuild.rebuild_array(state[2], shape, state[4], False)
    instance.__setstate__((1, shape, state[2], bool(state[3]), bytes(state[4])))


def _array_from_buffer(body, dtype, shape, order):
    import numpy

    if not isinstance(body, (bytes, bytearray)) or not isinstance(dtype, numpy.dtype) or order not in ("C", "F"):
        refuse("a NumPy array that is damaged")
    return rebuild.rebuild_array(dtype, rebuild.whole_numbers(shape, "an array's shape"), body, order == "F")


def _numpy_scalar(dtype, body):
    import numpy

    if not isinstance(dtype, numpy.dtype) or not isinstance(body, (bytes, bytearray)):
        refuse("a NumPy number that is damaged")
    return rebuild.rebuild_array(dtype, (), body, False)[()]


def _numpy_dtype(text, *flags):
    import numpy

    if type(text) is not str or len(text) > 8 or text[:1] not in "biufc?SU":
        refuse("a NumPy dtype that is no number's")
    try:
        return numpy.dtype(text)
    except TypeError as error:
        refuse(f"a NumPy dtype: {error}")


def _counted(kind):
    """A builder for a builtin container or number from plain data only (never from a size: bytes(10**12))."""

    def build(*arguments):
        if kind in (bytes, bytearray) and any(type(a) not in (bytes, bytearray, list, str) for a in arguments):
            refuse(f"{kind.__name__} from something other than bytes")
        if kind in (set, frozenset):
            from .reader import check_key

            for item in arguments[0] if arguments else ():
                check_key(item, lambda count: None)
        if any(type(a) not in _PLAIN for a in arguments):
            refuse(f"{kind.__name__} from something other than plain data")
        return kind(*arguments)

    return build


_PLAIN = (str, int, float, bool, bytes, bytearray, complex, list, tuple, dict, set, frozenset, type(None))


def _default_dict(*arguments):
    if len(arguments) > 1 or any(a not in (list, dict, int, float, set, str, tuple, None) for a in arguments):
        refuse("a defaultdict that calls something other than a builtin type")
    return defaultdict(*arguments)


def _builders():
    """(callable, what is done instead of calling it): all that a stream may call."""
    for name in ("rebuild_tensor", "rebuild_tensor_v3", "rebuild_parameter", "rebuild_parameter_with_state",
                 "meta_tensor", "as_bytes"):
        yield getattr(rebuild, name), getattr(rebuild, name)
    yield OrderedDict, rebuild.ordered
    yield Counter, _counted(Counter)
    yield deque, _counted(deque)
    yield defaultdict, _default_dict
    yield hearth.Size, rebuild.as_size
    yield hearth.device, rebuild.as_device
    yield hearth.Generator, lambda *device: hearth.Generator(*[rebuild.as_device(str(d)) for d in device[:1]])
    for kind in (set, frozenset, bytearray, bytes, complex, slice, range, list, dict, tuple, int, float, str, bool):
        yield kind, _counted(kind)
    for function in (_array_from_buffer, _numpy_scalar, _start_array):
        yield function, function
    if "numpy" in sys.modules:
        yield sys.modules["numpy"].dtype, _numpy_dtype
    for path, value in _library_names().items():
        yield value, _counted(value)


def _is_module(cls):
    if not isinstance(cls, type):
        return False
    kinds = [hearth.nn.Module]
    optim = sys.modules.get("hearth.optim")
    if optim is not None:
        kinds += [optim.Optimizer, optim.lr_scheduler.LRScheduler]
    return issubclass(cls, tuple(kinds))


def _imported(module, name):
    """The object behind a name of a module that is imported already."""
    home = sys.modules.get(module)
    found = home
    for part in name.split("."):
        if found is None or part.startswith("__"):
            return None
        found = vars(found).get(part) if isinstance(found, (type, type(sys))) else None
    return found


def _of_the_program(module):
    """Whether a module is the program's own: `__main__`, or a file outside Python's and the packages' folders."""
    if module == "__main__":
        return True
    if module.partition(".")[0] in sys.stdlib_module_names or module.partition(".")[0] == "hearth":
        return False
    path = getattr(sys.modules.get(module), "__file__", None)
    return bool(path) and "site-packages" not in path and "dist-packages" not in path


def _may_name(found, module):
    """With weights_only=False: which objects may stand in a result as values."""
    if isinstance(found, type):
        return _is_module(found) or issubclass(found, hearth.Tensor) or _of_the_program(module)
    if callable(found):
        own = module == "torch" or module.startswith("torch.nn") or module.startswith("torch.optim")
        return own or _of_the_program(module)
    return False


def _own_setstate(cls):
    return any("__setstate__" in vars(base) for base in cls.__mro__ if base is not object)


def _plain_instance(cls, arguments):
    """An instance made without the class's own code: by `__new__` of the builtin type beneath it."""
    if any("__del__" in vars(base) for base in cls.__mro__ if base is not object):
        refuse(f"{cls.__name__} has a __del__; " + _ADVICE.format(cls.__name__))
    if not _of_the_program(cls.__module__) and cls.__module__ not in ("argparse", "types"):
        refuse(f"an instance of {cls.__module__}.{cls.__name__} is refused; " + _ADVICE.format(cls.__name__))
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return tuple.__new__(cls, arguments)
    for base in (tuple, list, dict, set, frozenset, str, int, float):
        if issubclass(cls, base):
            return base.__new__(cls, *[_counted(base)(*arguments)] if arguments else ())
    if arguments:
        refuse(f"an instance of {cls.__name__} with arguments")
    return object.__new__(cls)
