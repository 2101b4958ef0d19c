"""A Generator's state as a tensor, copying and pickling."""
from .. import _C

Generator = _C.Generator


def _face(function):
    setattr(Generator, function.__name__, function)
    return function


@_face
def get_state(self):
    """The state as a uint8 tensor of 5056 bytes."""
    return _C.frombuffer(bytearray(self._state()), dtype=_C.uint8)


@_face
def set_state(self, new_state):
    """Puts back what get_state gave; RuntimeError for anything else."""
    if not isinstance(new_state, _C.Tensor):
        raise TypeError(f"set_state(): argument 'new_state' must be Tensor, not {type(new_state).__name__}")
    if new_state.dtype is not _C.uint8:
        raise TypeError("RNG state must be a torch.ByteTensor")
    if new_state.device.type != "cpu" or new_state.dim() != 1:
        raise RuntimeError(f"set_state: one dimension of bytes is needed: got size {list(new_state.shape)}")
    self._set_state(bytes(new_state.tolist()))
    return self


@_face
def clone_state(self):
    """Another generator in the same state."""
    made = Generator()
    made._set_state(self._state())
    return made


graphsafe_get_state = _face(clone_state)


@_face
def __deepcopy__(self, memo):
    memo[id(self)] = made = self.clone_state()
    return made


@_face
def __reduce__(self):
    return Generator, (), (self.initial_seed(), None, self.get_state())


@_face
def __setstate__(self, state):
    self.set_state(state[2])
