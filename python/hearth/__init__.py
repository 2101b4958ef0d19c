"""hearth: tensors, autograd and layers with PyTorch's names; `import hearth as torch` runs a PyTorch program."""
import sys as _sys

from . import _C
from ._C import *  # noqa: F401,F403  ops, dtypes, Tensor, device
from ._C import Tensor, device, dtype  # noqa: F401
from .version import __version__  # noqa: F401
from ._size import Size
from . import _function, _hooks, _tensor, _tensor_attributes
from ._tensor_str import get_printoptions, printoptions, set_printoptions
from .overrides import _install as _install_overrides
from ._names import missing as _missing

_install_overrides()

# Names of dtypes that PyTorch has twice.
bool = _C.bool  # noqa: A001
half, float, double, cfloat, cdouble = _C.float16, _C.float32, _C.float64, _C.complex64, _C.complex128  # noqa: A001
short, int, long = _C.int16, _C.int32, _C.int64  # noqa: A001

from math import e, inf, nan, pi  # noqa: E402,F401

newaxis = None

from ._layout import *  # noqa: E402,F401,F403
from ._grad_mode import enable_grad, inference_mode, is_inference_mode_enabled, no_grad, set_grad_enabled  # noqa: E402,F401
from . import _ops  # noqa: E402,F401  the long tail puts itself into this namespace

# Loaded at first use, to keep the import quick.
_LAZY = frozenset(
    "nn optim linalg fft special autograd func utils distributed amp cuda cpu mps xpu accelerator backends "
    "jit onnx export hub multiprocessing profiler random serialization testing array_api llm masked signal "
    "fx _dynamo _inductor compiler library return_types overrides version futures package quantization ao "
    "monitor storage ops classes mtia".split())
# Names that live in a module of their own.
_ELSEWHERE = {
    "save": "serialization", "load": "serialization", "compile": "compiler", "autocast": "amp",
    "set_rng_state": "random", "get_rng_state": "random", "manual_seed": "random", "seed": "random",
    "initial_seed": "random", "fork_rng": "random", "vmap": "func", "lobpcg": "_lobpcg", "UntypedStorage": "storage", "TypedStorage": "storage",
    # What nn.functional has too.
    **dict.fromkeys(
        "batch_norm layer_norm group_norm instance_norm rms_norm native_batch_norm native_group_norm native_layer_norm "
        "_native_batch_norm_legit _batch_norm_with_update dropout dropout_ feature_dropout feature_dropout_ alpha_dropout "
        "alpha_dropout_ feature_alpha_dropout feature_alpha_dropout_ rrelu rrelu_ native_dropout native_dropout_backward "
        "bilinear channel_shuffle native_channel_shuffle cosine_similarity pairwise_distance pdist pixel_shuffle "
        "pixel_unshuffle conv_tbc convolution embedding_bag grid_sampler grid_sampler_2d grid_sampler_3d "
        "affine_grid_generator binary_cross_entropy_with_logits cosine_embedding_loss hinge_embedding_loss kl_div "
        "margin_ranking_loss triplet_margin_loss poisson_nll_loss ctc_loss multilabel_margin_loss_forward "
        "_upsample_bilinear2d_aa _upsample_bicubic2d_aa _softmax _log_softmax _softmax_backward_data "
        "_log_softmax_backward_data".split(), "nn._twins"),
}


def __getattr__(name):
    if name in _LAZY:
        from importlib import import_module

        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    if name in _ELSEWHERE:
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_ELSEWHERE[name]}"), name)
        globals()[name] = value
        return value
    raise _missing("torch", name, list(globals()) + list(_LAZY) + list(_ELSEWHERE))


def __dir__():
    return sorted(set(globals()) | _LAZY | set(_ELSEWHERE))
