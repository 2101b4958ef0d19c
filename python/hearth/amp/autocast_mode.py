"""autocast: ops that gain from it run in bfloat16, ops that need it in float32, and the others as they are."""

import functools
import warnings

import hearth

__all__ = ["autocast", "autocast_decorator", "custom_fwd", "custom_bwd", "is_autocast_available"]

# PyTorch's lists for the CPU, by the names of ops.
LOWER = """conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc bmm mm baddbmm addmm addbmm
linear matmul linalg_vecdot scaled_dot_product_attention multi_head_attention_forward lstm gru rnn_tanh rnn_relu
lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell""".split()
FLOAT32 = """avg_pool3d binary_cross_entropy grid_sample grid_sampler grid_sampler_2d polar prod quantile nanquantile
stft cdist trace view_as_complex cholesky cholesky_inverse cholesky_solve inverse lu_solve orgqr ormqr pinverse
max_pool3d max_unpool2d max_unpool3d adaptive_avg_pool3d reflection_pad1d reflection_pad2d replication_pad1d
replication_pad2d replication_pad3d mse_loss cosine_embedding_loss nll_loss nll_loss2d hinge_embedding_loss
poisson_nll_loss smooth_l1_loss cross_entropy l1_loss huber_loss margin_ranking_loss soft_margin_loss
triplet_margin_loss multi_margin_loss ctc_loss kl_div multilabel_margin_loss binary_cross_entropy_with_logits fft_fft
fft_ifft fft_fft2 fft_ifft2 fft_fftn fft_ifftn fft_rfft fft_irfft fft_rfft2 fft_irfft2 fft_rfftn fft_irfftn fft_hfft
fft_ihfft linalg_cond linalg_matrix_rank linalg_solve linalg_cholesky linalg_svdvals linalg_eigvals linalg_eigvalsh
linalg_inv linalg_householder_product linalg_tensorinv linalg_tensorsolve fake_quantize_per_tensor_affine geqrf
_lu_with_info qr svd triangular_solve fractional_max_pool2d fractional_max_pool3d adaptive_max_pool3d
multilabel_margin_loss_forward linalg_qr linalg_cholesky_ex linalg_svd linalg_eig linalg_eigh linalg_lstsq
linalg_inv_ex""".split()
WIDEST = "stack cat index_copy".split()
_LOWER, _FLOAT32, _WIDEST = 1, 2, 3

_dtypes = {"cpu": hearth.bfloat16, "cuda": hearth.float16}
_prepared = False


def _holders():
    functional = hearth.nn.functional
    yield hearth
    yield hearth.Tensor
    yield functional
    for name in ("linalg", "fft"):
        try:
            yield getattr(hearth, name)
        except (AttributeError, ImportError):
            continue


def _prepare():
    """Tell each op what autocast does to it; done at the first use, so that nobody else pays for it."""
    global _prepared
    _prepared = True
    for holder in _holders():
        for policy, names in ((_LOWER, LOWER), (_FLOAT32, FLOAT32), (_WIDEST, WIDEST)):
            for name in names:
                for spelled in {name, name.removeprefix("linalg_").removeprefix("fft_")}:
                    if spelled != name and holder in (hearth, hearth.Tensor):
                        continue
                    op = holder.__dict__.get(spelled)
                    if hasattr(op, "_set_autocast_policy"):
                        op._set_autocast_policy(policy)


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast does something on this kind of device."""
    return hearth.device(device_type).type == "cpu"


def is_autocast_enabled(device_type=None) -> bool:
    """Whether autocast is on for this kind of device; without one, for CUDA, as in PyTorch."""
    if device_type == "cpu":
        return hearth._C._get_autocast()[0]
    return False


def set_autocast_enabled(device_type, enabled=None) -> None:
    """Switch autocast on or off for this kind of device."""
    if enabled is None:
        device_type, enabled = "cuda", device_type
    if device_type == "cpu":
        if enabled and not _prepared:
            _prepare()
        hearth._C._set_autocast(bool(enabled), _dtypes["cpu"])


def get_autocast_dtype(device_type: str):
    """The lower dtype of autocast on this kind of device."""
    if device_type == "cpu":
        return hearth._C._get_autocast()[1]
    return _dtypes.get(device_type, hearth.float16)


def set_autocast_dtype(device_type: str, dtype) -> None:
    """Set the lower dtype of autocast on this kind of device."""
    _dtypes[device_type] = dtype
    if device_type == "cpu":
        hearth._C._set_autocast(hearth._C._get_autocast()[0], dtype)


def autocast_decorator(autocast_instance, func):
    """`func` run inside the given autocast."""

    @functools.wraps(func)
    def run(*args, **kwargs):
        with autocast_instance:
            return func(*args, **kwargs)

    run.__script_unsupported = "@autocast() decorator is not supported in script mode"
    return run


class autocast:
    """A block, or a decorator, in which ops choose their dtype: products and convolutions bfloat16, losses float32.

    Raises RuntimeError for a kind of device that is not known. Example: with autocast("cpu"): loss = f(model(x), y)
    """

    def __init__(self, device_type: str, dtype=None, enabled: bool = True, cache_enabled=None) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = hearth.device(device_type).type
        self.fast_dtype = get_autocast_dtype(self.device) if dtype is None else dtype
        self._cache_enabled = True if cache_enabled is None else cache_enabled
        if self.device == "cuda" and enabled:
            warnings.warn(
                "User provided device_type of 'cuda', but CUDA is not available. Disabling", stacklevel=2
            )
            enabled = False
        elif self.device not in ("cpu", "cuda") and enabled:
            raise RuntimeError(f"User specified an unsupported autocast device_type '{self.device}'")
        if self.device == "cpu" and enabled and self.fast_dtype not in (
            hearth.bfloat16, hearth.float16, hearth.float32
        ):  # fmt: skip
            warnings.warn(
                f"In CPU autocast, but the target dtype {self.fast_dtype} is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtype of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._before = []

    def __enter__(self):
        if self.device == "cpu":
            if self._enabled and not _prepared:
                _prepare()
            self._before.append(hearth._C._get_autocast())
            on = self._enabled and self.fast_dtype != hearth.float32
            hearth._C._set_autocast(on, self.fast_dtype)
        return self

    def __exit__(self, kind, value, traceback):
        if self.device == "cpu":
            hearth._C._set_autocast(*self._before.pop())
        return False

    def __call__(self, func):
        return autocast_decorator(self, func)


def _cast(value, device_type, dtype):
    if isinstance(value, hearth.Tensor):
        takes_part = value.is_floating_point() and value.device.type == device_type and value.dtype != hearth.float64
        return value.to(dtype) if takes_part else value
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, dict):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [_cast(v, device_type, dtype) for v in value]
        return type(value)(parts)
    return value


def custom_fwd(fwd=None, *, device_type: str, cast_inputs=None):
    """Decorates the forward of a Function: with cast_inputs its tensors are cast and autocast is off inside."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def run(*args, **kwargs):
        args[0]._dtype = get_autocast_dtype(device_type)
        on = is_autocast_enabled(device_type)
        if cast_inputs is None:
            args[0]._fwd_used_autocast = on
            return fwd(*args, **kwargs)
        args[0]._fwd_used_autocast = False
        if not on:
            return fwd(*args, **kwargs)
        with autocast(device_type=device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return run


def custom_bwd(bwd=None, *, device_type: str):
    """Decorates the backward of a Function: it runs under the autocast that its forward had."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def run(*args, **kwargs):
        with autocast(device_type=device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return run
