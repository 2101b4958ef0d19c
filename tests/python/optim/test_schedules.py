"""Schedules: rates, momenta and state dicts are PyTorch's (frozen); composed ones, plateaus, loading, averages."""
import json
import pathlib
import sys
import warnings

import pytest

import hearth
from hearth.optim import lr_scheduler as schedules

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from optim_cases import SCHEDULES, rates  # noqa: E402

FROZEN = json.loads((pathlib.Path(__file__).resolve().parents[2] / "data/python/optim.json").read_text())["schedules"]


@pytest.mark.parametrize("place", range(len(FROZEN)), ids=[f"{r['name']}-{r['mode']}-{i}" for i, r in enumerate(FROZEN)])
def test_rates_are_pytorchs(place):
    row = FROZEN[place]
    seen, state = rates(hearth, row["name"], dict(SCHEDULES[place // 2][1]), row["mode"])
    for a, b in zip(seen, row["rates"]):
        for x, y in zip(a, b):
            assert x == pytest.approx(y, rel=1e-6)
    assert list(state) == list(row["state"])


def optimizer(lr=1.0, **settings):
    return hearth.optim.SGD([hearth.nn.Parameter(hearth.ones(2))], lr=lr, **settings)


def run(schedule, steps, values=None):
    seen = []
    for i in range(steps):
        schedule.optimizer.step()
        schedule.step(*([values[i]] if values else []))
        seen.append(round(schedule.optimizer.param_groups[0]["lr"], 6))
    return seen


def test_functions_of_the_epoch():
    assert run(schedules.LambdaLR(optimizer(), lambda epoch: 1 / (epoch + 1)), 3) == [0.5, 0.333333, 0.25]
    assert run(schedules.MultiplicativeLR(optimizer(), lambda epoch: 0.5), 3) == [0.5, 0.25, 0.125]


def test_one_schedule_after_the_other():
    o = optimizer()
    parts = [schedules.ConstantLR(o, 0.1, total_iters=2), schedules.ExponentialLR(o, 0.9)]
    assert run(schedules.SequentialLR(o, parts, [3]), 5) == [0.1, 1.0, 1.0, 0.9, 0.81]


def test_schedules_at_once():
    o = optimizer()
    chained = schedules.ChainedScheduler([schedules.ConstantLR(o, 0.1, total_iters=2), schedules.ExponentialLR(o, 0.9)])
    assert run(chained, 3) == [0.09, 0.81, 0.729]


def test_plateau():
    values = [1, 0.9, 0.95, 0.96, 0.97, 0.5]
    assert run(schedules.ReduceLROnPlateau(optimizer(), patience=1), 6, values) == [1.0, 1.0, 1.0, 0.1, 0.1, 0.1]
    with pytest.raises(ValueError):
        schedules.ReduceLROnPlateau(optimizer(), factor=1)


def test_loading_goes_on_where_it_was():
    first = schedules.CosineAnnealingLR(optimizer(), 6)
    run(first, 3)
    second = schedules.CosineAnnealingLR(optimizer(first.get_last_lr()[0]), 6)
    second.load_state_dict(first.state_dict())
    assert run(first, 4) == run(second, 4)


def test_a_rate_that_is_a_tensor_is_written_in_place():
    rate = hearth.tensor(1.0)
    schedule = schedules.ExponentialLR(optimizer(rate), 0.5)
    run(schedule, 2)
    assert rate.item() == 0.25


def test_wrong_order_is_told():
    schedule = schedules.StepLR(optimizer(), 2)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        schedule.step()
    with pytest.warns(UserWarning, match="get_last_lr"):
        schedule.get_lr()


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda: schedules.StepLR(3, 2), TypeError),
        (lambda: schedules.StepLR(optimizer(), 2, last_epoch=3), KeyError),
        (lambda: schedules.LambdaLR(optimizer(), [lambda e: 1] * 2), ValueError),
        (lambda: schedules.OneCycleLR(optimizer(momentum=0.9), 1.0), ValueError),
        (lambda: schedules.CosineAnnealingWarmRestarts(optimizer(), 0), ValueError),
        (lambda: schedules.ChainedScheduler([]), ValueError),
    ],
)
def test_bad_input_is_refused(make, error):
    with pytest.raises(error):
        make()


def test_averages_of_weights():
    model = hearth.nn.Linear(2, 2)
    swa = hearth.optim.swa_utils.AveragedModel(model)
    ema = hearth.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=hearth.optim.swa_utils.get_ema_multi_avg_fn(0.75)
    )
    values = []
    for value in (1.0, 2.0, 6.0):
        with hearth.no_grad():
            model.weight.fill_(value)
        swa.update_parameters(model)
        ema.update_parameters(model)
        values.append((swa.module.weight[0, 0].item(), ema.module.weight[0, 0].item()))
    assert values[-1] == (pytest.approx(3.0), pytest.approx(1.25 * 0.75 + 6 * 0.25))
    assert swa.n_averaged.item() == 3


def test_running_statistics_over_a_loader():
    model = hearth.nn.Sequential(hearth.nn.BatchNorm1d(2))
    batches = [hearth.tensor([[0.0, 1.0], [2.0, 3.0]]), hearth.tensor([[2.0, 3.0], [4.0, 5.0]])]
    hearth.optim.swa_utils.update_bn(batches, model)
    assert hearth.allclose(model[0].running_mean, hearth.tensor([2.0, 3.0]))
    assert model[0].momentum == 0.1


def test_anneal_to_a_constant():
    o = optimizer()
    schedule = hearth.optim.swa_utils.SWALR(o, 0.1, anneal_epochs=2, anneal_strategy="linear")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run(schedule, 3) == [0.55, 0.1, 0.1]
