"""Writes tests/data/python/torch_names.txt: the public names of the installed torch, by namespace (names only).

python tests/peers/make_torch_names.py
"""

import importlib
import pathlib
import textwrap
import types
import warnings

TARGET = pathlib.Path(__file__).resolve().parents[1] / "data/python/torch_names.txt"
NAMESPACES = """torch torch.Tensor torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.nn.utils.rnn
torch.nn.utils.parametrize torch.nn.utils.parametrizations torch.nn.utils.prune
torch.nn.utils.stateless torch.nn.attention torch.nn.parallel torch.optim torch.optim.lr_scheduler
torch.optim.swa_utils torch.linalg torch.fft torch.special torch.signal.windows torch.masked
torch.sparse torch.nested torch.autograd torch.autograd.functional torch.autograd.forward_ad
torch.autograd.graph torch.autograd.profiler torch.func torch.distributions
torch.distributions.constraints torch.distributions.transforms torch.utils.data
torch.utils.data.distributed torch.utils.checkpoint torch.utils.benchmark torch.utils.dlpack
torch.utils.hooks torch.random torch.serialization torch.testing torch.amp torch.cuda torch.cuda.amp
torch.cpu torch.backends torch.backends.cudnn torch.backends.mkl torch.backends.mkldnn
torch.backends.openmp torch.accelerator torch.mps torch.xpu torch.profiler torch.jit torch.library
torch.overrides torch.hub torch.multiprocessing torch.distributed torch.futures torch.compiler
torch.export torch.onnx torch.package torch.fx torch.types""".split()

KEPT = {
    "Event",
    "Generator",
    "GradScaler",
    "OutOfMemoryError",
    "Size",
    "Stream",
    "SymBool",
    "SymFloat",
    "SymInt",
    "Tag",
}


def public(holder, full_name: str) -> list:
    """The names that a program may use: __all__ where there is one, else what is no module and defined in torch."""
    told = getattr(holder, "__all__", None)
    if full_name == "torch":
        told = None  # it leaves out many functions
    names = []
    for name in sorted(set(told or dir(holder))):
        if name.startswith("_") or name == "TYPE_CHECKING" or not hasattr(holder, name):
            continue
        value = getattr(holder, name)
        home = getattr(value, "__module__", None) or "torch"
        if isinstance(value, types.ModuleType) or (told is None and home.split(".")[0] not in ("torch", "math")):
            continue
        inner = isinstance(value, type) and name[0].isupper() and not name.endswith(("Tensor", "Storage"))
        if full_name == "torch" and inner and name not in KEPT:  # the compiler's classes
            continue
        names.append(name)
    return names


def main():
    warnings.simplefilter("ignore")
    import torch

    parts = [
        f"# Public names of PyTorch {torch.__version__.split('+')[0]}, by namespace; made by make_torch_names.py.\n"
    ]
    for full_name in NAMESPACES:
        if full_name == "torch.Tensor":
            holder = torch.Tensor
        else:
            try:
                holder = importlib.import_module(full_name)
            except ImportError as error:
                print(f"{full_name}: {error}")
                continue
        names = public(holder, full_name)
        if not names:
            continue
        parts.append(f"[{full_name}]\n{textwrap.fill(' '.join(names), 120, break_on_hyphens=False)}\n")
    TARGET.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
