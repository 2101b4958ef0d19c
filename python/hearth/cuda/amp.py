"""torch.cuda.amp: the older names of torch.amp, for the device "cuda"."""


def __getattr__(name):
    import hearth

    if name == "GradScaler":
        class GradScaler(hearth.amp.GradScaler):
            """torch.amp.GradScaler("cuda", ...): disables itself, with a warning, where there is no CUDA device."""

            def __init__(self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000,
                         enabled=True):
                super().__init__("cuda", init_scale=init_scale, growth_factor=growth_factor,
                                 backoff_factor=backoff_factor, growth_interval=growth_interval, enabled=enabled)

        made = GradScaler
    elif name == "autocast":
        class autocast(hearth.autocast):
            """torch.autocast("cuda", ...)."""

            def __init__(self, enabled=True, dtype=None, cache_enabled=True):
                super().__init__("cuda", enabled=enabled, dtype=dtype or hearth.float16, cache_enabled=cache_enabled)

        made = autocast
    elif name in ("custom_fwd", "custom_bwd"):
        import functools

        made = functools.partial(getattr(hearth.amp, name), device_type="cuda")
    else:
        from .._names import missing

        raise missing("torch.cuda.amp", name, ["GradScaler", "autocast", "custom_fwd", "custom_bwd"])
    globals()[name] = made
    return made
