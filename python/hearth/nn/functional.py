"""nn.functional: what layers compute, as functions. The pieces are in _functional_*.py."""
import hearth as _hearth

from .. import _C
from ._functional_activation import *  # noqa: F401,F403
from ._functional_activation import elu_, hardtanh_, leaky_relu_, rrelu_  # noqa: F401
from ._functional_attention import *  # noqa: F401,F403
from ._functional_ctc import ctc_loss as ctc_loss
from ._functional_dropout import *  # noqa: F401,F403
from ._functional_embedding import *  # noqa: F401,F403
from ._functional_image import *  # noqa: F401,F403
from ._functional_loss import *  # noqa: F401,F403
from ._functional_margin import *  # noqa: F401,F403
from ._functional_norm import *  # noqa: F401,F403
from ._functional_pool import *  # noqa: F401,F403

conv1d, conv2d, conv3d = _C.conv1d, _C.conv2d, _C.conv3d
conv_transpose1d, conv_transpose2d, conv_transpose3d = _C.conv_transpose1d, _C.conv_transpose2d, _C.conv_transpose3d

# What is not also in the torch namespace is pickled (as a layer's activation, say) by its address here.
for _name, _value in list(globals().items()):
    if type(_value) is _C.Function and getattr(_hearth, _name, None) is not _value:
        _value.__module__ = "hearth.nn.functional"
