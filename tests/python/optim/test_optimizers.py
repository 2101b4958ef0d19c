"""Optimizers: parameters, state dicts and repr are PyTorch's (frozen); hooks, groups, loading, errors."""
import copy
import json
import pathlib
import pickle
import sys

import pytest

import hearth

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from optim_cases import OPTIMIZERS, plain, train  # noqa: E402

FROZEN = json.loads((pathlib.Path(__file__).resolve().parents[2] / "data/python/optim.json").read_text())


def near(seen, frozen, tolerance):
    if isinstance(frozen, dict):
        assert list(seen) == list(frozen)
        for key in frozen:
            near(seen[key], frozen[key], tolerance)
    elif isinstance(frozen, list):
        assert len(seen) == len(frozen)
        for a, b in zip(seen, frozen):
            near(a, b, tolerance)
    elif isinstance(frozen, float):
        assert seen == pytest.approx(frozen, rel=tolerance, abs=tolerance, nan_ok=True)
    else:
        assert seen == frozen


@pytest.mark.parametrize("place", range(len(OPTIMIZERS)), ids=[f"{n}{s}" for n, s in OPTIMIZERS])
def test_steps_are_pytorchs(place):
    name, settings = OPTIMIZERS[place]
    frozen = FROZEN["optimizers"][place]
    optimizer, history = train(hearth, name, dict(settings), hearth.float32)
    # Muon iterates in bfloat16, LBFGS takes decisions on rounded numbers.
    tolerance = {"Muon": 2e-2, "LBFGS": 1e-3}.get(name, 2e-5)
    near(history[0], frozen["history"][0], tolerance)
    near(history[-1], frozen["history"][1], tolerance)
    near(json.loads(json.dumps(plain(optimizer.state_dict()))), frozen["state"], tolerance * 10)
    assert repr(optimizer) == frozen["repr"]


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "NAdam", "Adagrad"])
def test_training_goes_on_after_loading(name):
    settings = dict(momentum=0.9) if name == "SGD" else {}
    whole, history = train(hearth, name, settings, hearth.float32, steps=6)
    first, _ = train(hearth, name, settings, hearth.float32, steps=3)
    params = first.param_groups[0]["params"]
    fresh = getattr(hearth.optim, name)(params, **settings)
    fresh.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    for key, value in first.state_dict()["state"][0].items():
        assert hearth.equal(hearth.as_tensor(fresh.state_dict()["state"][0][key]), hearth.as_tensor(value))


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_fused_and_composed_steps_agree(name, dtype):
    settings = dict(momentum=0.9, weight_decay=0.1) if name == "SGD" else dict(weight_decay=0.1, amsgrad=True)
    _, fused = train(hearth, name, settings, getattr(hearth, dtype))
    _, composed = train(hearth, name, dict(settings, differentiable=False, lr=hearth.tensor(1e-3)), getattr(hearth, dtype))
    near(fused, composed, {"float32": 1e-6, "float64": 1e-9}.get(dtype, 1e-2))


def parameter():
    return hearth.nn.Parameter(hearth.ones(2, 3))


def test_parameters_without_gradient_are_left_alone():
    a, b = parameter(), parameter()
    optimizer = hearth.optim.Adam([a, b], lr=0.1)
    a.sum().backward()
    optimizer.step()
    assert not hearth.equal(a, b) and hearth.equal(b, hearth.ones(2, 3))
    assert list(optimizer.state_dict()["state"]) == [0]
    optimizer.zero_grad()
    assert a.grad is None


def test_state_shares_memory_with_the_optimizer():
    p = parameter()
    optimizer = hearth.optim.Adam([p])
    p.sum().backward()
    optimizer.step()
    state = optimizer.state[p]
    before = state["exp_avg"].clone()
    optimizer.step()
    assert state["step"].item() == 2 and not hearth.equal(before, state["exp_avg"])


def test_step_hooks_and_closure():
    p, seen = parameter(), []
    optimizer = hearth.optim.SGD([p], lr=0.5)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    handle = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))

    def closure():
        seen.append(hearth.is_grad_enabled())
        optimizer.zero_grad()
        loss = p.sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 6
    handle.remove()
    optimizer.step(closure)
    assert seen == ["before", True, "after", "before", True]
    assert hearth.equal(p, hearth.zeros(2, 3))


def test_state_dict_hooks():
    optimizer = hearth.optim.SGD([parameter()], lr=0.5)
    optimizer.register_state_dict_post_hook(lambda o, state: state.update(extra=1))
    optimizer.register_load_state_dict_pre_hook(lambda o, state: {k: v for k, v in state.items() if k != "extra"})
    state = optimizer.state_dict()
    assert state["extra"] == 1
    optimizer.load_state_dict(state)


def test_groups_and_names():
    a, b = parameter(), parameter()
    optimizer = hearth.optim.Adam([{"params": [a], "lr": 0.1}, {"params": b}], lr=0.2)
    optimizer.add_param_group({"params": [parameter()], "weight_decay": 0.5})
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.2, 0.2]
    assert [g["params"] for g in optimizer.state_dict()["param_groups"]] == [[0], [1], [2]]
    named = hearth.optim.SGD([("a", a), ("b", b)], lr=1.0)
    assert named.param_groups[0]["param_names"] == ["a", "b"]


def test_copies():
    p = parameter()
    optimizer = hearth.optim.AdamW([p])
    p.sum().backward()
    optimizer.step()
    other = copy.deepcopy(optimizer)
    assert repr(other) == repr(optimizer)
    assert hearth.equal(list(other.state.values())[0]["exp_avg"], optimizer.state[p]["exp_avg"])


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda o: o.SGD([]), ValueError),
        (lambda o: o.SGD(parameter()), TypeError),
        (lambda o: o.SGD([3]), TypeError),
        (lambda o: o.SGD([parameter() * 2]), ValueError),
        (lambda o: o.SGD([{"params": {parameter()}}]), TypeError),
        (lambda o: o.SGD([parameter()], lr=-1), ValueError),
        (lambda o: o.SGD([parameter()], nesterov=True), ValueError),
        (lambda o: o.Adam([parameter()], betas=(1, 0)), ValueError),
        (lambda o: o.Adam([parameter()], fused=True, foreach=True), RuntimeError),
        (lambda o: o.Adam([parameter()]).add_param_group(3), TypeError),
        (lambda o: o.Adam([parameter()]).load_state_dict({"state": {}, "param_groups": []}), ValueError),
        (lambda o: o.Muon([hearth.nn.Parameter(hearth.ones(3))]), ValueError),
        (lambda o: o.LBFGS([{"params": parameter()}, {"params": parameter()}]), ValueError),
        (lambda o: o.Optimizer([parameter()], {}).step(), NotImplementedError),
    ],
)
def test_bad_input_is_refused(make, error):
    with pytest.raises(error):
        make(hearth.optim)


def test_a_rule_of_ones_own():
    class Sign(hearth.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, dict(lr=lr))

        @hearth.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad.sign(), alpha=-group["lr"])

    p = parameter()
    optimizer, seen = Sign([p]), []
    optimizer.register_step_post_hook(lambda *_: seen.append(1))
    (p * p).sum().backward()
    optimizer.step()
    assert seen == [1] and p[0, 0].item() == pytest.approx(0.9)


def test_signatures_show_what_programs_look_for():
    import inspect

    assert "fused" in inspect.signature(hearth.optim.AdamW).parameters
