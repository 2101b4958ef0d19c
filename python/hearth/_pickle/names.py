"""Names in PyTorch's files and hearth's objects: which path a class has over there, and what a path means here."""
import sys

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64",
}
STORAGE_OF = {dtype: name for name, dtype in STORAGES.items()}

# The file of PyTorch's tree that defines each nn class: checkpoints of whole modules name it.
_NN_FILES = {
    "activation": "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax Mish"
    " MultiheadAttention PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink"
    " Softsign Tanh Tanhshrink Threshold",
    "adaptive": "AdaptiveLogSoftmaxWithLoss",
    "batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d SyncBatchNorm",
    "channelshuffle": "ChannelShuffle",
    "container": "Container ModuleDict ModuleList ParameterDict ParameterList Sequential",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d LazyConv2d LazyConv3d"
    " LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d",
    "distance": "CosineSimilarity PairwiseDistance",
    "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "flatten": "Flatten Unflatten",
    "fold": "Fold Unfold",
    "instancenorm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d"
    " LazyInstanceNorm3d",
    "linear": "Bilinear Identity LazyLinear Linear NonDynamicallyQuantizableLinear",
    "loss": "BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss GaussianNLLLoss HingeEmbeddingLoss"
    " HuberLoss KLDivLoss L1Loss MSELoss MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss"
    " MultiMarginLoss NLLLoss NLLLoss2d PoissonNLLLoss SmoothL1Loss SoftMarginLoss TripletMarginLoss"
    " TripletMarginWithDistanceLoss",
    "module": "Module",
    "normalization": "CrossMapLRN2d GroupNorm LayerNorm LocalResponseNorm RMSNorm",
    "padding": "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d"
    " ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d",
    "pixelshuffle": "PixelShuffle PixelUnshuffle",
    "pooling": "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d"
    " AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d FractionalMaxPool2d FractionalMaxPool3d LPPool1d LPPool2d"
    " LPPool3d MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d",
    "rnn": "GRU GRUCell LSTM LSTMCell RNN RNNBase RNNCell RNNCellBase",
    "sparse": "Embedding EmbeddingBag",
    "transformer": "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer",
    "upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
}
_NN_PATH = {name: f"torch.nn.modules.{file}" for file, names in _NN_FILES.items() for name in names.split()}
_OPTIMIZERS = "ASGD Adadelta Adagrad Adam AdamW Adamax LBFGS NAdam Optimizer RAdam RMSprop Rprop SGD"


def torch_path(obj, module, name):
    """(module, name) under which PyTorch knows an object of hearth; what is not hearth's stays as it is.

    >>> torch_path(hearth.nn.Linear, "hearth.nn.modules.linear", "Linear")
    ('torch.nn.modules.linear', 'Linear')
    """
    if module != "hearth" and not module.startswith("hearth."):
        return module, name
    if isinstance(obj, type):
        if name in ("Parameter", "Buffer"):
            return "torch.nn.parameter", name
        if module.startswith("hearth.nn") and name in _NN_PATH:
            return _NN_PATH[name], name
        if module.startswith("hearth.optim") and name in _OPTIMIZERS.split():
            return f"torch.optim.{name.lower()}", name
        if name in ("Size", "device", "Tensor", "dtype") and module in ("hearth", "hearth._C"):
            return "torch", name
        if name == "Generator":
            return "torch._C", name
    elif module.startswith("hearth.nn.functional") or _public("torch.nn.functional", name) is obj:
        return "torch.nn.functional", name
    elif module != "hearth.nn.functional" and _public("torch", name) is obj:
        return "torch", name
    return "torch" + module[len("hearth"):], name


def _public(module, name):
    import hearth

    found = hearth if module == "torch" else hearth.nn.functional
    return getattr(found, name, None)


def own_object(module, name):
    """What a path of PyTorch's tree means in hearth, or None; nothing is imported but hearth's own modules.

    >>> own_object("torch.nn.modules.linear", "Linear") is hearth.nn.Linear
    True
    """
    import importlib

    if not all(part.isidentifier() for part in [*module.split("."), *name.split(".")]):
        return None
    try:
        found = importlib.import_module("hearth" + module[len("torch"):]) if _is_module(module) else None
    except ImportError:
        found = None
    if found is not None:
        value = _attribute(found, name)
        if value is not None:
            return value
    import hearth

    places = {
        "torch.nn.modules": ("nn",),
        "torch.nn.parameter": ("nn",),
        "torch.optim.lr_scheduler": ("optim", "lr_scheduler"),
        "torch.optim": ("optim",),
        "torch.utils.data": ("utils", "data"),
        "torch._C": (),
    }
    for prefix, path in places.items():
        if module == prefix or module.startswith(prefix + "."):
            home = hearth
            for part in path:
                home = getattr(home, part)
            return _attribute(home, name)
    return None


def _is_module(module):
    """Whether hearth has a file for this path; looked up without importing anything by guess."""
    import importlib.util

    path = "hearth" + module[len("torch"):]
    if path in sys.modules:
        return True
    for end in range(len(path)):
        if path[end] == "." and importlib.util.find_spec(path[:end]) is None:
            return False
    try:
        return importlib.util.find_spec(path) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _attribute(found, name):
    for part in name.split("."):
        found = getattr(found, part, None)
        if part.startswith("__") or found is None:
            return None
    return found
