"""Throws random arguments at functions, in a process of its own: THROW_AT.py SEED COUNT name...; prints each name first.

A call may return or raise an ordinary exception; a crash ends this process, and the test then says at which name.
"""
import resource
import signal
import sys
import warnings

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import hearth

GIB = 1 << 30
resource.setrlimit(resource.RLIMIT_AS, (6 * GIB, 6 * GIB))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
warnings.simplefilter("ignore")
hearth.set_num_threads(1)

DTYPES = [d for d in vars(hearth).values() if isinstance(d, hearth.dtype)]
SIZES = st.sampled_from([0, 1, 1, 2, 2, 3, 3, 4, 5, 7, 17])
ODD_INTS = st.sampled_from([0, 1, -1, 2, -2, 3, 5, 2**31 - 1, -(2**31), 2**62, -(2**63), 2**63 - 1, 2**64, 10**30])
ODD_FLOATS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 1e300, float("inf"), float("-inf"), float("nan")])


@st.composite
def tensors(draw):
    """Any dtype, up to four dimensions, sometimes strided, expanded, empty, with NaN, or with a gradient."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(SIZES, max_size=4))
    values = draw(st.sampled_from(["zeros", "ones", "arange", "random"]))
    count = 1
    for size in shape:
        count *= size
    if values == "zeros":
        x = hearth.zeros(shape, dtype=dtype)
    elif values == "ones":
        x = hearth.ones(shape, dtype=dtype)
    elif values == "arange":
        x = hearth.tensor([(i % 11) - 5 if not str(dtype).startswith("torch.uint") else i % 11 for i in range(count)]).to(dtype)
        x = x.reshape(shape)
    else:
        x = (hearth.randn(shape) * 3).to(dtype)
    if x.dim() > 1 and draw(st.booleans()):
        x = x.transpose(0, -1)
    if x.dim() and x.shape[0] > 1 and draw(st.booleans()):
        x = x[::2]
    if draw(st.integers(0, 5)) == 0:
        x = x.unsqueeze(0).expand([3] + list(x.shape))
    if x.is_floating_point():
        if x.numel() and draw(st.integers(0, 4)) == 0:
            x = x * draw(ODD_FLOATS)
        if draw(st.integers(0, 3)) == 0:
            x = x.detach().requires_grad_()
    return x


SMALL = st.one_of(st.none(), st.booleans(), st.integers(-4, 6), ODD_INTS, ODD_FLOATS,
                  st.sampled_from(["", "sum", "mean", "reflect", "ij", "nearest", "fro"]), st.sampled_from(DTYPES),
                  st.lists(st.integers(-3, 6), max_size=4), st.lists(ODD_INTS, max_size=3), st.just(1 + 2j))
ARGUMENTS = st.lists(st.one_of(tensors(), tensors(), SMALL, st.lists(tensors(), max_size=3)), min_size=1, max_size=5)
# They would stop or change this very process.
SKIP = {"set_num_threads", "set_default_dtype", "set_default_device", "manual_seed", "seed", "from_file", "_set_anomaly_mode",
        "set_printoptions", "save", "load", "compile", "set_default_tensor_type", "_unpack_saved", "_set_grad_enabled",
        "_pop_saved_hooks", "_push_saved_hooks", "_storage_ptr", "set_flush_denormal", "set_rng_state"}


def resolve(name):
    """hearth.nn.functional.relu from "nn.functional.relu"."""
    value = hearth
    for part in name.split("."):
        value = getattr(value, part)
    return value


class TooLong(Exception):
    """A call that works longer than two seconds is given up: slow is not a fault here."""


def too_long(*_):
    raise TooLong


def throw(name, number, count):
    function = resolve(name)

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(ARGUMENTS)
    def once(arguments):
        signal.setitimer(signal.ITIMER_REAL, 2)
        try:
            result = function(*arguments)
            if isinstance(result, hearth.Tensor) and result.requires_grad and result.numel() < 10000:
                result.sum().backward()
        except (Exception, TooLong):
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    once()


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, too_long)
    for name in sys.argv[3:]:
        if name.split(".")[-1] not in SKIP:
            print(name, flush=True)
            throw(name, int(sys.argv[1]), int(sys.argv[2]))
    print("done", flush=True)
