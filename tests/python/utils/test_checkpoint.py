"""Activation checkpointing: the same gradients, with the inner results computed twice."""
import pytest

import hearth as torch
from hearth import nn
from hearth.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def gradients(run, net, x):
    for p in net.parameters():
        p.grad = None
    x = x.clone().requires_grad_(True)
    y = run(x)
    y.sum().backward()
    return [y.detach(), x.grad, *(p.grad for p in net.parameters())]


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradients_are_the_same(reentrant):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    x = torch.randn(3, 4)
    plain = gradients(net, net, x)
    for run in (lambda v: checkpoint(net, v, use_reentrant=reentrant),
                lambda v: checkpoint_sequential(net, 2, v, use_reentrant=reentrant)):
        for one, two in zip(plain, gradients(run, net, x)):
            assert torch.equal(one, two)


@pytest.mark.parametrize("reentrant", [False, True])
def test_dropout_draws_the_same_numbers_again(reentrant):
    drop = nn.Dropout(0.5)
    x = torch.ones(100, requires_grad=True)
    y = checkpoint(drop, x, use_reentrant=reentrant)
    y.sum().backward()
    assert torch.equal(y.detach(), x.grad)


def test_the_part_runs_twice_and_stops_early():
    calls = []

    def part(x):
        calls.append("begin")
        y = (x * x).sin()
        calls.append("end")
        return y

    x = torch.ones(3, requires_grad=True)
    checkpoint(part, x, use_reentrant=False).sum().backward()
    assert calls[:2] == ["begin", "end"] and calls.count("begin") == 2


def test_another_second_computation_is_an_error():
    state = [2]

    def part(x):
        state[0] += 1
        return (x.repeat(state[0]) ** 2).sum()

    x = torch.ones(3, requires_grad=True)
    with pytest.raises(CheckpointError):
        checkpoint(part, x, use_reentrant=False).backward()


def test_arguments():
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(torch.sin, torch.ones(1, requires_grad=True))
    with pytest.raises(ValueError):
        checkpoint(torch.sin, torch.ones(1), use_reentrant=True, nonsense=1)
    with pytest.raises(ValueError):
        checkpoint(torch.sin, torch.ones(1), use_reentrant=False, determinism_check="maybe")
