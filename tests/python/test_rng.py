"""Random streams against PyTorch's, number by number; what needs hearth.nn is compared where nn is."""
import json
import os
import struct

import pytest

import hearth
import hearth as torch

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "data", "torch-rng")
needs_streams = pytest.mark.skipif(not os.path.exists(os.path.join(FOLDER, "streams.safetensors")),
                                   reason="the recorded streams (../shared/data/torch-rng) are not here")


def recorded():
    """The tensors of streams.safetensors by name."""
    with open(os.path.join(FOLDER, "streams.safetensors"), "rb") as file:
        raw = bytearray(file.read())
    size = struct.unpack("<Q", raw[:8])[0]
    kinds = {"F32": hearth.float32, "F64": hearth.float64, "I64": hearth.int64, "BOOL": hearth.bool,
             "I32": hearth.int32}
    found = {}
    for name, entry in json.loads(raw[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = hearth.frombuffer(raw[8 + size + begin:8 + size + end], dtype=kinds[entry["dtype"]])
            found[name] = flat.reshape(entry["shape"])
    return found


def expressions():
    path = os.path.join(FOLDER, "expressions.json")
    if not os.path.exists(path):
        return [], {}
    with open(path) as file:
        said = json.load(file)
    return said["seeds"], said["expressions"]


SEEDS, EXPRESSIONS = expressions()


def is_exact(key):
    """Whether nothing but integer arithmetic and one rounding makes the numbers."""
    return not any(part in key for part in ("randn", "normal", "exponential", "gumbel", "init"))


@pytest.fixture(scope="module")
def streams():
    return recorded()


@needs_streams
@pytest.mark.parametrize("key", list(EXPRESSIONS) or ["absent"])
def test_same_numbers_as_pytorch(key, streams):
    text = EXPRESSIONS[key]
    if "nn." in text:
        pytest.importorskip("hearth.nn", reason="hearth.nn is not in this build")
    for seed in SEEDS:
        names = {"torch": hearth, "SEED": seed}
        if "nn." in text:
            names["nn"] = hearth.nn
        hearth.manual_seed(seed)
        value = eval(text, names)  # noqa: S307  the recorded texts
        following = hearth.rand(1)
        parts = value.state_dict() if hasattr(value, "state_dict") else {"": value}
        for name, part in parts.items():
            wanted = streams[f"{seed}/{key}" + (f".{name}" if name else "")]
            assert part.dtype == wanted.dtype and part.shape == wanted.shape
            tolerance = 0 if is_exact(key) else 1e-5 if "init" in key else 1e-6
            assert hearth.allclose(part, wanted, rtol=tolerance, atol=tolerance), (seed, part, wanted)
        assert following.equal(streams[f"{seed}/{key}/next"]), seed


def test_generators_are_independent():
    a, b = hearth.Generator().manual_seed(5), hearth.Generator().manual_seed(5)
    assert torch.rand(4, generator=a).equal(torch.rand(4, generator=b))
    hearth.manual_seed(1)
    first = torch.rand(3)
    hearth.manual_seed(1)
    torch.rand(7, generator=a)
    assert first.equal(torch.rand(3))


# What real PyTorch draws from seed 0.
DRAWN = [
    ("cauchy_", lambda: torch.empty(3).cauchy_(), [10.5977, 0.7648, -0.1283], 0.4901),
    ("geometric_", lambda: torch.empty(3).geometric_(0.3), [1, 1, 3], 0.4901),
    ("log_normal_", lambda: torch.empty(3).log_normal_(), [59.263, 1.5116, 0.034819], 0.4556),
    ("random_", lambda: torch.empty(3).random_(), [8325664, 12888472, 1484222], 0.1320),
    ("random_ int32", lambda: torch.empty(3, dtype=torch.int32).random_(), [209652396, 398764591, 924231285], 0.1320),
    ("random_ int64", lambda: torch.empty(3, dtype=torch.int64).random_(),
     [900450186894289455, 3969543146641149120, 1895649597198586619], 0.4901),
    ("random_ uint8", lambda: torch.empty(3, dtype=torch.uint8).random_(), [172, 47, 117], 0.1320),
    ("random_ bool", lambda: torch.empty(3, dtype=torch.bool).random_(), [False, True, True], 0.1320),
    ("random_ from", lambda: torch.empty(3, dtype=torch.int8).random_(5, None), [88, 29, 22], 0.1320),
    ("poisson", lambda: torch.poisson(torch.tensor([1.0, 5.0, 50.0])), [2, 6, 49], 0.4194),
    ("binomial", lambda: torch.binomial(torch.tensor([10.0, 100.0, 5.0]), torch.tensor([0.3, 0.5, 0.9])), [6, 48, 5],
     0.6816),
    ("bernoulli_", lambda: torch.empty(4).bernoulli_(torch.tensor([0.3, 0.5, 0.9, 0.1])), [0, 0, 1, 0], 0.3074),
    ("complex rand", lambda: torch.rand(2, dtype=torch.complex64), [0.4963 + 0.7682j, 0.0885 + 0.1320j], 0.3074),
    ("complex randn", lambda: torch.randn(2, dtype=torch.complex64), [1.0896 - 0.2075j, -1.5406 + 0.4019j], 0.4556),
]


@pytest.mark.parametrize("name, draw, values, following", DRAWN, ids=[case[0] for case in DRAWN])
def test_other_distributions(name, draw, values, following):
    hearth.manual_seed(0)
    drawn = draw()
    wanted = torch.tensor(values, dtype=drawn.dtype)
    assert torch.allclose(drawn, wanted, rtol=1e-3, atol=1e-4) if drawn.dtype != torch.bool else drawn.equal(wanted)
    assert abs(torch.rand(1).item() - following) < 1e-4


REFUSED = [
    lambda: torch.empty(2).cauchy_(0, -1), lambda: torch.empty(2).geometric_(1.5),
    lambda: torch.empty(2).log_normal_(0, -1), lambda: torch.empty(2).exponential_(0),
    lambda: torch.empty(2).uniform_(2, 1), lambda: torch.empty(2).normal_(0, -1), lambda: torch.randint(3, 3, (2,)),
    lambda: torch.randperm(-1), lambda: torch.bernoulli(torch.tensor([2.0])),
    lambda: torch.poisson(torch.tensor([-1.0])), lambda: torch.multinomial(torch.tensor([0.0, 0.0]), 1),
    lambda: torch.rand(2, device="cpu", layout=torch.sparse_coo), lambda: torch.rand(-1),
]


@pytest.mark.parametrize("call", REFUSED)
def test_bad_parameters_are_refused(call):
    with pytest.raises(RuntimeError):
        call()
