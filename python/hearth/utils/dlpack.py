"""torch.utils.dlpack: memory shared with other libraries."""
import hearth


def from_dlpack(ext_tensor):
    """A tensor on the memory of another library's array."""
    return hearth.from_dlpack(ext_tensor)


def to_dlpack(tensor):
    """A capsule that another library's from_dlpack takes."""
    return tensor.__dlpack__()
