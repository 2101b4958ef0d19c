"""Averages of weights: stochastic weight averaging (Izmailov et al. 2018) and exponential moving averages."""

import math
from copy import deepcopy

import hearth
from hearth.nn import Module

from .lr_scheduler import LRScheduler
from .schedule import per_group

__all__ = [
    "AveragedModel", "update_bn", "SWALR", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn", "get_ema_avg_fn",
    "get_swa_avg_fn",
]  # fmt: skip


def _check_decay(decay):
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_multi_avg_fn(decay=0.999):
    """The function that moves lists of averages towards lists of parameters by 1 - decay, in place."""
    _check_decay(decay)

    @hearth.no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        for ema, current in zip(ema_param_list, current_param_list):
            if ema.is_floating_point() or ema.is_complex():
                ema.lerp_(current, 1 - decay)
            else:
                ema.copy_(ema * decay + current * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn():
    """The function that takes lists of parameters into lists of plain averages, in place."""

    @hearth.no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        for average, current in zip(averaged_param_list, current_param_list):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(current, 1 / (float(num_averaged) + 1))
            else:
                average.add_(((current - average) / (num_averaged + 1)).to(average.dtype))

    return swa_update


def get_ema_avg_fn(decay=0.999):
    """The function (average, parameter, count) -> decay * average + (1 - decay) * parameter."""
    _check_decay(decay)

    @hearth.no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """The function (average, parameter, count) -> the average over one parameter more."""

    @hearth.no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are the average over all `update_parameters(model)`."""

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", hearth.tensor(0, dtype=hearth.long, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    def _values(self, module):
        values = list(module.parameters())
        return values + list(module.buffers()) if self.use_buffers else values

    def update_parameters(self, model) -> None:
        """Take the parameters of `model` into the average."""
        averages = [a.detach() for a in self._values(self.module)]
        current = [c.detach().to(a.device) for a, c in zip(averages, self._values(model))]
        with hearth.no_grad():
            if int(self.n_averaged) == 0:
                for average, value in zip(averages, current):
                    average.copy_(value)
            elif self.multi_avg_fn is not None or self.avg_fn is None:
                average_all = self.multi_avg_fn or get_swa_multi_avg_fn()
                average_all(averages, current, self.n_averaged)
            else:
                for average, value in zip(averages, current):
                    average.copy_(self.avg_fn(average, value, self.n_averaged))
            if not self.use_buffers:
                # Buffers that are not averaged are those of the last model.
                for own, other in zip(self.module.buffers(), model.buffers()):
                    own.detach().copy_(other.detach().to(own.device))
            self.n_averaged += 1


@hearth.no_grad()
def update_bn(loader, model, device=None) -> None:
    """Compute the running statistics of the batch normalizations of `model` anew over the batches of `loader`."""
    from hearth.nn.modules.batchnorm import _BatchNorm

    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None
    for input in loader:
        if isinstance(input, (list, tuple)):
            input = input[0]
        model(input if device is None else input.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the rate to swa_lr in anneal_epochs epochs, and constant from then on."""

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1) -> None:
        for group, lr in zip(optimizer.param_groups, per_group("swa_lr", optimizer, swa_lr)):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must by one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, epoch):
        x = max(0, min(1, epoch / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * x)) / 2 if self._anneal_strategy == "cos" else x

    def get_lr(self):
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            # Where the annealing started from follows from the present rate.
            start = group["swa_lr"] if before == 1 else (group["lr"] - before * group["swa_lr"]) / (1 - before)
            rates.append(group["swa_lr"] * now + start * (1 - now))
        return rates
