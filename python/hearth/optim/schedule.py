"""The base of learning-rate schedules: epochs, warnings, state dicts."""

import warnings
from functools import wraps

import hearth

from .optimizer import Optimizer

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form "
    "is used instead of the new chainable form, where available."
)


def copy_value(value):
    """A tensor's copy, another value itself: rates may be tensors that change in place."""
    return value.clone() if isinstance(value, hearth.Tensor) else value


def set_value(group, key, value):
    """Set a setting of a group; a tensor there is written in place."""
    if isinstance(group[key], hearth.Tensor):
        group[key].fill_(value)
    else:
        group[key] = value


def values_of(optimizer, key):
    """The setting `key` of every group."""
    return [copy_value(group[key]) for group in optimizer.param_groups]


def per_group(name, optimizer, param):
    """`param` as a list with an entry for each group. Raises ValueError for another length."""
    if isinstance(param, (list, tuple)):
        if len(param) != len(optimizer.param_groups):
            raise ValueError(
                f"{name} must have the same length as optimizer.param_groups. {name} has {len(param)} values, "
                f"param_groups has {len(optimizer.param_groups)}."
            )
        return list(map(copy_value, param))
    return [copy_value(param) for _ in optimizer.param_groups]


class LRScheduler:
    """Sets the rate of every group at each `step`. A schedule of one's own defines `get_lr`, a list of rates."""

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", copy_value(group["lr"]))
        else:
            for i, group in enumerate(optimizer.param_groups):
                if "initial_lr" not in group:
                    raise KeyError(
                        f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                        "last_epoch >= 0.\nThis typically happens when:\n1. You're trying to resume training from a "
                        "checkpoint but haven't properly loaded the optimizer state\n2. You're using last_epoch >= 0 "
                        "for a fresh training run (not recommended)"
                    )
        self.base_lrs = values_of(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._watch_steps(optimizer)
        self._initial_step()

    @staticmethod
    def _watch_steps(optimizer):
        """Let the optimizer note that it has stepped, so that a wrong order of the two can be told."""
        step = optimizer.step
        if hasattr(step, "_wrapped_by_lr_sched"):
            return
        function, owner = step.__func__, optimizer

        @wraps(function)
        def noted(*args, **kwargs):
            owner._opt_called = True
            return function.__get__(owner, type(owner))(*args, **kwargs)

        noted._wrapped_by_lr_sched = True
        optimizer.step = noted

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self):
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict) -> None:
        """Take over what state_dict gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self):
        """The rates that were set last."""
        return self._last_lr

    def get_lr(self):
        """The next rates, one a group; called inside `step`."""
        raise NotImplementedError

    def _warn_outside_step(self):
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", stacklevel=3
            )

    def _check_order(self):
        if self._step_count != 1:
            return
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                "Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`.",
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you "
                "should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to "
                "do this will result in PyTorch skipping the first value of the learning rate schedule.",
                stacklevel=3,
            )

    def step(self, epoch=None) -> None:
        """Go to the next epoch (or to `epoch`) and set the rates."""
        self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch=None) -> None:
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                values = self.get_lr()
            else:
                self.last_epoch = epoch
                closed = getattr(self, "_get_closed_form_lr", None)
                values = closed() if closed is not None else self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, values):
            set_value(group, "lr", lr)
        self._last_lr = values_of(self.optimizer, "lr")
