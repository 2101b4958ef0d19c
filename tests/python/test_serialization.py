"""torch.save and torch.load: what is written comes back, and hostile files end in one clear error without running."""
import collections
import io
import os
import pathlib
import pickle
import random
import struct
import sys
import zipfile

import pytest

import hearth as torch
from hearth import nn

MARK = []


def mark():
    MARK.append("ran")
    return 1


class Plain:
    def __init__(self, value):
        self.value = value


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 2)
        self.register_buffer("count", torch.zeros(2))
        self.settings = {"name": "x"}

    def forward(self, x):
        return self.inner(x)


def through(obj, zipped=True, **load):
    file = io.BytesIO()
    torch.save(obj, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    return torch.load(file, **load)


def archive(body, records=None, name="x", compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as out:
        out.writestr(f"{name}/data.pkl", body)
        out.writestr(f"{name}/version", "3\n")
        for key, content in (records or {}).items():
            out.writestr(f"{name}/data/{key}", content)
    file.seek(0)
    return file


def refused(body, records=None, weights_only=True):
    """Loads a pickle that must be refused; nothing may have run."""
    with pytest.raises((pickle.UnpicklingError, RuntimeError)) as error:
        torch.load(archive(body, records), weights_only=weights_only)
    assert not MARK
    return str(error.value)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
                                   "bool", "complex64", "complex128"])
def test_dtypes(zipped, dtype):
    x = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    y = through(x, zipped)
    assert y.dtype == x.dtype and y.shape == x.shape and bool((x == y).all())


@pytest.mark.parametrize("zipped", [True, False])
def test_views_share_their_storage(zipped):
    x = torch.arange(12.0).reshape(3, 4)
    loaded = through({"x": x, "t": x.t(), "row": x[1], "every": x[:, ::2]}, zipped)
    assert loaded["t"].stride() == (1, 4) and loaded["row"].storage_offset() == 4
    loaded["x"][1, 2] = 99.0
    assert loaded["t"][2, 1].item() == 99 and loaded["row"][2].item() == 99 and loaded["every"][1, 1].item() == 99


def test_containers_and_small_things():
    obj = {"ordered": collections.OrderedDict(a=1), "tuple": (1, [2.5, None]), "set": {1, 2}, "bytes": b"a\xff",
           "big": 2**80, "text": "é\U0001f600", "complex": 1 + 2j, "size": torch.Size([2, 3]), "dtype": torch.int8,
           "device": torch.device("cpu"), "counter": collections.Counter("aab"),
           "default": collections.defaultdict(list, {1: [2]}), "slice": slice(1, 2), "frozen": frozenset([3])}
    assert through(obj) == obj


def test_parameters_flags_and_attributes():
    p = nn.Parameter(torch.ones(2))
    p.tag = "mine"
    loaded = through({"p": p, "leaf": torch.ones(2, requires_grad=True)})
    assert type(loaded["p"]) is nn.Parameter and loaded["p"].requires_grad and loaded["p"].tag == "mine"
    assert loaded["leaf"].requires_grad and loaded["leaf"].is_leaf
    assert through(torch.empty(0, 3)).shape == (0, 3) and through(torch.tensor(2.5)).item() == 2.5


def test_a_generator_goes_on_where_it_was():
    g = torch.Generator().manual_seed(5)
    torch.rand(3, generator=g)
    copy = through(g)
    assert torch.rand(4, generator=copy).tolist() == torch.rand(4, generator=g).tolist()


def test_state_dicts_of_module_and_optimizer():
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    loaded = through({"net": net.state_dict(), "optimizer": optimizer.state_dict()})
    other = Net()
    other.load_state_dict(loaded["net"])
    assert type(loaded["net"]) is collections.OrderedDict and loaded["net"]._metadata == net.state_dict()._metadata
    for one, two in zip(net.parameters(), other.parameters()):
        assert torch.equal(one, two)
    again = torch.optim.Adam(other.parameters(), lr=0.3)
    again.load_state_dict(loaded["optimizer"])
    assert again.param_groups[0]["lr"] == 0.1


def test_whole_modules():
    net = Net()
    with pytest.raises(pickle.UnpicklingError, match="add_safe_globals"):
        through(net)
    loaded = through(net, weights_only=False)
    assert type(loaded) is Net and loaded.settings == {"name": "x"}
    assert torch.equal(loaded(torch.ones(1, 3)), net(torch.ones(1, 3)))
    with torch.serialization.safe_globals([Net, nn.Linear]):
        assert type(through(net)) is Net
        assert Net in torch.serialization.get_safe_globals()
    assert torch.serialization.get_safe_globals() == []


def test_modules_are_written_under_pytorchs_names(tmp_path):
    torch.save(nn.Sequential(nn.Linear(1, 1), nn.ReLU()), tmp_path / "m.pt")
    body = zipfile.ZipFile(tmp_path / "m.pt").read("m/data.pkl")
    assert b"ctorch.nn.modules.linear\nLinear\n" in body and b"ctorch.nn.modules.container\nSequential\n" in body
    assert b"hearth" not in body


def test_plain_classes_of_the_program():
    obj = Plain([1, torch.ones(2)])
    assert through(obj, weights_only=False).value[0] == 1
    with pytest.raises(pickle.UnpicklingError):
        through(obj)
    torch.serialization.add_safe_globals([Plain])
    try:
        assert through(obj).value[0] == 1
    finally:
        torch.serialization.clear_safe_globals()


def test_the_file_is_laid_out_as_pytorchs(tmp_path):
    torch.save({"w": torch.ones(3), "b": torch.zeros(5)}, tmp_path / "state.pt")
    raw = (tmp_path / "state.pt").read_bytes()
    with zipfile.ZipFile(tmp_path / "state.pt") as file:
        names = [entry.filename for entry in file.infolist()]
        assert names[0] == "state/data.pkl" and {"state/version", "state/byteorder", "state/data/0"} <= set(names)
        assert "state/.data/serialization_id" in names and file.read("state/version") == b"3\n"
        assert file.testzip() is None
        for entry in file.infolist():
            lengths = struct.unpack("<HH", raw[entry.header_offset + 26 : entry.header_offset + 30])
            assert (entry.header_offset + 30 + sum(lengths)) % 64 == 0 and entry.compress_type == 0


def test_paths_files_and_mmap(tmp_path):
    x = torch.arange(1000.0)
    for target in (str(tmp_path / "a.pt"), tmp_path / "b.pt"):
        torch.save(x, target)
        assert torch.equal(torch.load(target), x)
        mapped = torch.load(target, mmap=True)
        mapped[0] = 7.0  # copy on write: the file stays
        assert torch.load(target)[0].item() == 0
    with open(tmp_path / "c.pt", "wb") as file:
        file.write(b"before")
        torch.save(x, file)
    with open(tmp_path / "c.pt", "rb") as file:
        file.seek(6)
        assert torch.equal(torch.load(file), x)
    with pytest.raises(RuntimeError, match="Parent directory"):
        torch.save(x, tmp_path / "absent" / "x.pt")
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "absent.pt")


def test_map_location():
    x = torch.ones(3)
    for place in ("cpu", torch.device("cpu"), {"cpu": "cpu"}, lambda storage, location: storage):
        assert torch.equal(through(x, map_location=place), x)
    assert through(x, map_location="meta").device.type == "meta"
    body = pickle_of_tensor(location=b"cuda:0")
    with pytest.raises(RuntimeError, match="map_location"):
        torch.load(archive(body, {"0": bytes(8)}))
    assert torch.load(archive(body, {"0": bytes(8)}), map_location="cpu").tolist() == [0, 0]


def pickle_of_tensor(kind=b"FloatStorage", count=2, offset=0, size=2, stride=1, location=b"cpu"):
    """The pickle of a one-dimensional tensor, with figures of the test's choice."""

    def integer(value):
        return b"J" + struct.pack("<i", value)

    text = b"".join
    short = lambda raw: b"U" + bytes([len(raw)]) + raw  # noqa: E731
    storage = text([b"(", short(b"storage"), b"ctorch\n" + kind + b"\n", short(b"0"), short(location), integer(count),
                    b"tQ"])
    return text([b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(", storage, integer(offset), integer(size) + b"\x85",
                 integer(stride) + b"\x85", b"\x89ccollections\nOrderedDict\n)RtR."])


@pytest.mark.parametrize("change", [dict(size=3), dict(offset=1), dict(stride=2), dict(count=3), dict(offset=-1),
                                    dict(size=-2), dict(stride=-1), dict(kind=b"DoubleStorage"), dict(count=-1),
                                    dict(location=b"nowhere")])
def test_tensors_that_lie_about_their_storage(change):
    assert torch.load(archive(pickle_of_tensor(), {"0": bytes(8)})).tolist() == [0, 0]
    refused(pickle_of_tensor(**change), {"0": bytes(8)})


class Evil:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("obj", [
    Evil(mark), Evil(os.system, "true"), Evil(eval, "1"), Evil(exec, "1"), Evil(getattr, mark, "__call__"),
    Evil(print, "x"), Evil(open, "/tmp/x"), Evil(bytearray, 10**12), Evil(bytes, 10**12), Evil(__import__, "os"),
    Evil(map, mark, [1]), Evil(type, "T", (), {}), Evil(collections.defaultdict, mark), Evil(pathlib.Path.touch, pathlib.Path("x")),
    Evil(random.Random), Evil(io.BytesIO), Evil(pickle.loads, b"N."), Evil(sys.exit), Evil(torch.load, "x"),
    Evil(torch.ones, 2), Evil(nn.Linear, 2, 3),
])
def test_calls_are_refused(obj, weights_only):
    refused(pickle.dumps(obj, 2), weights_only=weights_only)


def test_instances_of_other_libraries_are_refused():
    import tempfile

    for cls in (tempfile.TemporaryDirectory, zipfile.ZipFile):
        body = f"\x80\x02c{cls.__module__}\n{cls.__name__}\n)\x81}}b.".encode("latin-1")
        refused(body, weights_only=False)


@pytest.mark.parametrize("name", ["os\nsystem", "posix\nsystem", "builtins\neval", "builtins\ngetattr", "torch\n_C",
                                  "torch.serialization\nos", "torch.hub\nload", "torch\n__builtins__",
                                  "torch.utils.data\nDataLoader", "torch._ops\n..x", "hearth\nload", "\n", "a" * 5000 + "\nb"])
def test_names_are_refused(name):
    refused(b"\x80\x02c" + name.encode() + b"\n.", weights_only=False)


def test_bombs():
    refused(b"\x80\x02" + b"]" * 100000 + b"a" * 99999 + b".")  # lists in lists
    refused(b"\x80\x02N" + b"\x85" * 100000 + b".")  # tuples in tuples
    refused(b"\x80\x02}N" + b"\x85" * 100 + b"K\x01s.")  # a deep key
    doubled = b"\x80\x02K\x01K\x01\x86" + b"2\x86" * 40 + b"q\x00}h\x00K\x01s."  # a key of 2**40 items
    refused(doubled)
    many = b"\x80\x02](" + b"K\x01" * 20000 + b"eq\x000"  # one list, copied again and again
    refused(many + b"(" + b"c__builtin__\nlist\nh\x00\x85R" * 20000 + b"t.")
    refused(b"\x80\x02" + b"(" * 200000 + b".")
    refused(b"\x80\x02B\xff\xff\xff\xffx.")  # bytes that are not there
    refused(b"\x80\x02\x8b\xff\xff\xff\x7f.")  # a long that is not there
    refused(b"\x80\x02L" + b"9" * 100000 + b"L\n.")
    refused(b"\x80\x02j\xff\xff\xff\xff.")  # a memo entry that is not there


def test_damaged_archives(tmp_path):
    good = io.BytesIO()
    torch.save({"w": torch.ones(100)}, good)
    raw = good.getvalue()
    for length in (0, 3, 4, 100, len(raw) // 2, len(raw) - 1):
        with pytest.raises((RuntimeError, EOFError, pickle.UnpicklingError)):
            torch.load(io.BytesIO(raw[:length]))
    spoiled = bytearray(raw)
    spoiled[raw.index(struct.pack("<f", 1.0) * 4)] ^= 1
    with pytest.raises(RuntimeError, match="checksum"):
        torch.load(io.BytesIO(bytes(spoiled)))
    with pytest.raises(RuntimeError, match="compressed"):
        torch.load(archive(b"N.", {"0": bytes(10**6)}, compression=zipfile.ZIP_DEFLATED))
    with pytest.raises(RuntimeError, match="data.pkl"):
        empty = io.BytesIO()
        zipfile.ZipFile(empty, "w").writestr("a", "b")
        empty.close() if False else empty.seek(0)
        torch.load(io.BytesIO(_zip_of("a")))


def _zip_of(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr(name, "b")
    return file.getvalue()


def test_a_storage_that_is_missing_or_reused():
    refused(pickle_of_tensor(), {})
    refused(pickle_of_tensor(), {"0": bytes(4)})


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_never_does_harm(seed):
    """Flipped, cut and repeated bytes: an object or one of the usual errors, nothing else."""
    chance = random.Random(seed)
    sources = []
    for obj in ({"w": torch.ones(3), "t": (1, "a", [2.5])}, Net(), torch.Generator()):
        for zipped in (True, False):
            file = io.BytesIO()
            torch.save(obj, file, _use_new_zipfile_serialization=zipped)
            sources.append(file.getvalue())
    body = zipfile.ZipFile(io.BytesIO(sources[0])).read("archive/data.pkl")
    for _ in range(400):
        raw = bytearray(chance.choice([body, *sources]))
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(raw))
            action = chance.randrange(3)
            if action == 0:
                raw[place] = chance.randrange(256)
            elif action == 1:
                del raw[place : place + chance.randint(1, 8)]
            else:
                raw[place:place] = raw[place : place + chance.randint(1, 32)]
        file = archive(bytes(raw), {"0": bytes(12)}) if raw[:2] == b"\x80\x02" and chance.random() < 0.7 else io.BytesIO(raw)
        try:
            torch.load(file, weights_only=chance.random() < 0.5)
        except (pickle.UnpicklingError, RuntimeError, EOFError, NotImplementedError, AttributeError) as error:
            assert str(error) or isinstance(error, EOFError)
    assert not MARK


def test_arguments_are_checked():
    with pytest.raises(TypeError):
        torch.load(io.BytesIO(b""), nonsense=1)
    with pytest.raises(AttributeError):
        torch.load(5)
    with pytest.raises(AttributeError):
        torch.save(1, 5)
    with pytest.raises(ValueError):
        torch.load(io.BytesIO(b"xxxx"), mmap=True)
    with pytest.raises(pickle.UnpicklingError, match="magic"):
        torch.load(io.BytesIO(b"some text that is no checkpoint"))


def test_numpy_values():
    numpy = pytest.importorskip("numpy")
    obj = {"array": numpy.arange(6.0).reshape(2, 3), "number": numpy.float32(2.5), "text": numpy.array(["a", "bc"])}
    loaded = through(obj)
    assert (loaded["array"] == obj["array"]).all() and loaded["number"] == 2.5 and loaded["text"][1] == "bc"
    with pytest.raises(pickle.UnpicklingError):
        through(numpy.array([Plain(1)], dtype=object), weights_only=False)
