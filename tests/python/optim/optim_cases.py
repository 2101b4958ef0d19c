"""Optimizers and schedules to run, written once for PyTorch (which froze the results) and for hearth."""

OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", dict(lr=0.1, momentum=0.9)),
    ("SGD", dict(lr=0.02, momentum=0.9, dampening=0.1, weight_decay=0.1)),
    ("SGD", dict(lr=0.02, momentum=0.9, nesterov=True, maximize=True)),
    ("Adam", {}),
    ("Adam", dict(lr=0.1, amsgrad=True, weight_decay=0.1)),
    ("Adam", dict(maximize=True, eps=1e-3)),
    ("Adam", dict(decoupled_weight_decay=True, weight_decay=0.1)),
    ("AdamW", {}),
    ("AdamW", dict(amsgrad=True, lr=0.1)),
    ("Adadelta", {}),
    ("Adadelta", dict(rho=0.8, weight_decay=0.1, maximize=True)),
    ("Adafactor", {}),
    ("Adafactor", dict(lr=0.1, weight_decay=0.1, maximize=True, d=1.5, eps=(1e-3, 1e-2))),
    ("Adagrad", {}),
    ("Adagrad", dict(lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.1, maximize=True)),
    ("Adamax", {}),
    ("Adamax", dict(weight_decay=0.1, maximize=True)),
    ("ASGD", {}),
    ("ASGD", dict(t0=2, lambd=0.1, weight_decay=0.1, maximize=True)),
    ("LBFGS", dict(max_iter=4)),
    ("LBFGS", dict(max_iter=6, history_size=2, lr=0.5)),
    ("LBFGS", dict(line_search_fn="strong_wolfe", max_iter=5)),
    ("NAdam", {}),
    ("NAdam", dict(weight_decay=0.1, momentum_decay=0.01, decoupled_weight_decay=True, maximize=True)),
    ("RAdam", {}),
    ("RAdam", dict(weight_decay=0.1, decoupled_weight_decay=True, lr=0.1)),
    ("RMSprop", {}),
    ("RMSprop", dict(momentum=0.9, centered=True, weight_decay=0.1, maximize=True)),
    ("Rprop", {}),
    ("Rprop", dict(etas=(0.4, 1.3), step_sizes=(1e-3, 1.0), maximize=True)),
    ("Muon", {}),
    ("Muon", dict(nesterov=False, adjust_lr_fn="match_rms_adamw", weight_decay=0.0)),
]

SCHEDULES = [
    ("StepLR", dict(step_size=2)),
    ("MultiStepLR", dict(milestones=[2, 4, 4])),
    ("ConstantLR", dict(total_iters=2, factor=0.5)),
    ("LinearLR", dict(start_factor=0.1, end_factor=0.5, total_iters=3)),
    ("ExponentialLR", dict(gamma=0.9)),
    ("CosineAnnealingLR", dict(T_max=4, eta_min=0.01)),
    ("CosineAnnealingWarmRestarts", dict(T_0=2)),
    ("CosineAnnealingWarmRestarts", dict(T_0=2, T_mult=2, eta_min=0.1)),
    ("CyclicLR", dict(base_lr=0.1, max_lr=1.0, step_size_up=2)),
    ("CyclicLR", dict(base_lr=0.1, max_lr=1.0, step_size_up=2, step_size_down=3, mode="triangular2")),
    ("CyclicLR", dict(base_lr=[0.1, 0.2], max_lr=1.0, step_size_up=2, mode="exp_range", gamma=0.9)),
    ("OneCycleLR", dict(max_lr=1.0, total_steps=13)),
    ("OneCycleLR", dict(max_lr=[1.0, 2.0], epochs=5, steps_per_epoch=4, three_phase=True, anneal_strategy="linear")),
    ("PolynomialLR", dict(power=2.0)),
    ("PolynomialLR", {}),
]


def numbers(torch, shape, step, dtype):
    """The same numbers everywhere, between -1 and 1."""
    count = shape[0] * (shape[1] if len(shape) > 1 else 1)
    return torch.tensor([((i * step) % 1.0) * 2 - 1 for i in range(count)], dtype=torch.float64).to(dtype).reshape(shape)


def train(torch, name, settings, dtype, steps=6):
    """(optimizer, parameters after each step): a quartic is minimized, closures in every second step."""
    shapes = [(4, 3), (5,)] if name != "Muon" else [(4, 3), (3, 6)]
    params = [torch.nn.Parameter(numbers(torch, s, 0.618 + 0.1 * i, dtype)) for i, s in enumerate(shapes)]
    targets = [numbers(torch, s, 0.414 + 0.1 * i, dtype) for i, s in enumerate(shapes)]
    optimizer = getattr(torch.optim, name)(params, **settings)
    history = []
    for i in range(steps):

        def closure():
            optimizer.zero_grad()
            loss = sum(((p - t) ** 2 * (1 + p**2)).sum() for p, t in zip(params, targets))
            loss.backward()
            return loss

        if name == "LBFGS" or i % 2:
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
        history.append([round(v, 7) for p in params for v in p.detach().double().reshape(-1).tolist()])
    return optimizer, history


def plain(value):
    """A state dict as JSON can hold it."""
    if hasattr(value, "shape"):
        return [str(value.dtype), list(value.shape), [float(f"{v:.6g}") for v in value.detach().double().reshape(-1).tolist()]]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def rates(torch, name, settings, mode):
    """The rates (and momenta) of two groups over 12 steps: by plain steps, or some of them to a given epoch."""
    import warnings

    params = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    groups = [{"params": [params[0]]}, {"params": [params[1]], "lr": 0.5}]
    optimizer = torch.optim.SGD(groups, lr=1.0, momentum=0.9)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **settings)
    seen = [[[g["lr"], g["momentum"]] for g in optimizer.param_groups]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(12):
            optimizer.step()
            if mode == "epoch" and i % 3 == 2:
                schedule.step(i // 2)
            else:
                schedule.step()
            seen.append([[g["lr"], g["momentum"]] for g in optimizer.param_groups])
    state = {k: v for k, v in schedule.state_dict().items() if k != "_scale_fn_ref"}
    return seen, plain({k: dict(v) if k == "milestones" else v for k, v in state.items()})
