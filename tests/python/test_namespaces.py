"""The namespaces around the ops: devices that are not there, compilers that do nothing, names that are refused."""
import subprocess
import sys
import warnings

import pytest

import hearth as torch


def test_cuda_answers_and_refuses():
    assert torch.cuda.is_available() is False and torch.cuda.device_count() == 0 and not torch.cuda.is_initialized()
    torch.cuda.manual_seed(1), torch.cuda.manual_seed_all(1), torch.cuda.empty_cache()
    assert torch.cuda.memory_allocated() == 0 and torch.cuda.is_bf16_supported() is False
    for name in ("synchronize", "current_device", "get_device_name", "Stream", "Event", "init"):
        with pytest.raises(AssertionError, match="CUDA"):
            getattr(torch.cuda, name)()
    with pytest.raises(AttributeError, match="torch.cuda.nonsense is not in hearth"):
        torch.cuda.nonsense


def test_other_devices():
    assert not torch.mps.is_available() and not torch.xpu.is_available() and not torch.accelerator.is_available()
    assert torch.accelerator.current_accelerator() is None and torch.cpu.is_available()
    for refuse in (torch.mps.synchronize, torch.xpu.synchronize, torch.accelerator.synchronize):
        with pytest.raises(RuntimeError):
            refuse()


def test_backends_may_be_set_and_read():
    torch.backends.cudnn.benchmark = True
    assert torch.backends.cudnn.benchmark is True and not torch.backends.cudnn.is_available()
    torch.backends.cuda.matmul.allow_tf32 = True
    with pytest.raises(AttributeError):
        torch.backends.cuda.matmul.nonsense = 1
    with torch.backends.cudnn.flags(enabled=False):
        assert torch.backends.cudnn.enabled is False
    assert torch.backends.cudnn.enabled is True
    assert not torch.backends.mps.is_built() and torch.backends.mkldnn.is_available()
    torch.backends.cuda.enable_flash_sdp(False)
    assert not torch.backends.cuda.flash_sdp_enabled()
    torch.backends.cuda.enable_flash_sdp(True)


def test_compile_is_a_pass_through_that_says_so_once():
    done = subprocess.run([sys.executable, "-W", "always", "-c", """
import hearth as torch
f = lambda x: x
assert torch.compile(f) is f and torch.compile(f, mode="max-autotune") is f
@torch.compile
def g(x): return x
@torch.compile(fullgraph=True)
def h(x): return x
assert torch.jit.script(f) is f and torch.jit.trace(f, torch.ones(1)) is f
assert not torch.jit.is_scripting() and not torch.compiler.is_compiling()
"""], capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)})
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("torch.compile: hearth runs") == 1 and done.stderr.count("torch.jit: hearth runs") == 1


def test_wrong_compile():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError):
            torch.compile(lambda x: x, mode="default", options={})
        with pytest.raises(RuntimeError):
            torch.compile(5)


@pytest.mark.parametrize("call", [
    lambda: torch.onnx.export(None, ()), lambda: torch.export.export(None, ()), lambda: torch.jit.save(None, "x"),
    lambda: torch.hub.load("owner/repo", "net"), lambda: torch.fx.symbolic_trace(None),
    lambda: torch.quantization.quantize_dynamic(None), lambda: torch.library.Library("a", "DEF"),
    lambda: torch.hub.load_state_dict_from_url("http://nowhere/x.pt", "/nonexistent"),
])
def test_what_is_not_there_is_refused_by_name(call):
    with pytest.raises(NotImplementedError, match="torch."):
        call()


def test_hub_reads_local_folders(tmp_path):
    (tmp_path / "hubconf.py").write_text("def net(n):\n    'A net.'\n    return n + 1\n")
    assert torch.hub.load(str(tmp_path), "net", 2, source="local") == 3
    assert torch.hub.list(str(tmp_path), source="local") == ["net"]
    assert torch.hub.help(str(tmp_path), "net", source="local") == "A net."


def test_custom_operators():
    @torch.library.custom_op("tests::twice", mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    twice.register_autograd(lambda ctx, g: g * 2)
    x = torch.ones(2, requires_grad=True)
    torch.ops.tests.twice(x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_futures():
    future = torch.futures.Future()
    after = future.then(lambda f: f.value() + 1)
    future.set_result(1)
    assert after.wait() == 2 and torch.futures.wait_all([future, after]) == [1, 2]
    with pytest.raises(RuntimeError):
        future.set_result(2)


def test_random_state():
    torch.manual_seed(7)
    state = torch.get_rng_state()
    assert state.dtype == torch.uint8 and state.shape == (5056,)
    first = torch.rand(3)
    torch.set_rng_state(state)
    assert torch.equal(torch.rand(3), first)
    with torch.random.fork_rng():
        torch.manual_seed(1)
    torch.set_rng_state(state)
    with torch.random.fork_rng():
        torch.rand(5)
    assert torch.equal(torch.rand(3), first) and torch.initial_seed() == 7
    assert torch.manual_seed(-1).initial_seed() == 2**64 - 1
    with pytest.raises((TypeError, RuntimeError)):
        torch.set_rng_state(torch.ones(3))
    with pytest.raises(RuntimeError):
        torch.set_rng_state(torch.zeros(5, dtype=torch.uint8))
