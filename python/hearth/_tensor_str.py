"""How a tensor prints: the same text as PyTorch for the same values and print options."""
import math

from . import _C
from ._grad_mode import no_grad

inf = math.inf


class _Options:
    precision = 4
    threshold = 1000
    edgeitems = 3
    linewidth = 80
    sci_mode = None


PRINT_OPTS = _Options()


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """Sets how tensors print; `profile` is "default", "short" or "full"."""
    profiles = {"default": (4, 1000, 3, 80), "short": (2, 1000, 2, 80), "full": (4, inf, 3, 80)}
    if profile is not None:
        if profile not in profiles:
            raise ValueError(f"set_printoptions: profile must be one of {list(profiles)}: got {profile!r}")
        PRINT_OPTS.precision, PRINT_OPTS.threshold, PRINT_OPTS.edgeitems, PRINT_OPTS.linewidth = profiles[profile]
    for name, value in (("precision", precision), ("threshold", threshold), ("edgeitems", edgeitems),
                        ("linewidth", linewidth)):
        if value is not None:
            setattr(PRINT_OPTS, name, value)
    PRINT_OPTS.sci_mode = sci_mode


def get_printoptions():
    """The options, as a dict."""
    return {name: getattr(PRINT_OPTS, name) for name in ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")}


class printoptions:
    """set_printoptions for a block."""

    def __init__(self, **options):
        self._options = options

    def __enter__(self):
        self._before = get_printoptions()
        set_printoptions(**self._options)

    def __exit__(self, *_):
        set_printoptions(**self._before)


class _Formatter:
    """One width and notation for all numbers of a tensor."""

    def __init__(self, values, kind):
        self.kind = kind
        self.scientific = self.whole = False
        self.width = 1
        if kind in ("bool", "int"):
            self.width = max([len(str(v)) for v in values], default=1)
            return
        finite = [v for v in values if v != 0 and math.isfinite(v)]
        if not finite:
            self.width = max([len(self._plain(v)) for v in values], default=1) if values else 1
            self.whole = all(v == 0 or not math.isfinite(v) for v in values)
            if self.whole and values:
                self.width = max(len(self.text(v)) for v in values)
            return
        sizes = [abs(v) for v in finite]
        low, high = min(sizes), max(sizes)
        self.whole = all(v == math.ceil(v) for v in finite)
        precision = PRINT_OPTS.precision
        if self.whole:
            self.scientific = high / low > 1000.0 or high > 1.0e8
            texts = [f"{v:.{precision}e}" if self.scientific else f"{v:.0f}" for v in finite]
            self.width = max(len(t) + (0 if self.scientific else 1) for t in texts)
        else:
            self.scientific = high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4
            texts = [f"{v:.{precision}e}" if self.scientific else f"{v:.{precision}f}" for v in finite]
            self.width = max(len(t) for t in texts)
        if PRINT_OPTS.sci_mode is not None:
            self.scientific = PRINT_OPTS.sci_mode
            self.width = max(len(self.text(v)) for v in values)
        self.width = max(self.width, max((len(self.text(v)) for v in values if not math.isfinite(v)), default=0))

    def _plain(self, value):
        return f"{value:.{PRINT_OPTS.precision}f}"

    def text(self, value):
        """The number, not padded."""
        if self.kind in ("bool", "int"):
            return str(value)
        if self.scientific:
            return f"{value:.{PRINT_OPTS.precision}e}"
        if self.whole:
            return f"{value:.0f}" + ("" if math.isinf(value) or math.isnan(value) else ".")
        return self._plain(value)

    def __call__(self, value):
        return self.text(value).rjust(self.width)


class _ComplexFormatter:
    def __init__(self, values):
        self.real = _Formatter([v.real for v in values], "float")
        self.imaginary = _Formatter([v.imag for v in values], "float")
        self.width = self.real.width + self.imaginary.width + 1

    def __call__(self, value):
        imaginary = self.imaginary.text(value.imag).strip()
        sign = "" if imaginary.startswith("-") else "+"
        return self.real(value.real) + sign + imaginary + "j"


def _flat(nested):
    if not isinstance(nested, list):
        return [nested]
    return [leaf for item in nested for leaf in _flat(item)]


def _edges(x):
    """The elements that a shortened print shows, as a smaller tensor."""
    edge = PRINT_OPTS.edgeitems
    for dim in range(x.dim()):
        size = x.shape[dim]
        if size > 2 * edge:
            x = _C.cat((x.narrow(dim, 0, edge), x.narrow(dim, size - edge, edge)), dim)
    return x


def _row(items, formatter, indent, short):
    per_line = max(1, int((PRINT_OPTS.linewidth - indent) // (formatter.width + 2)))
    edge = PRINT_OPTS.edgeitems
    if short and edge and len(items) > 2 * edge:
        texts = [formatter(v) for v in items[:edge]] + [" ..."] + [formatter(v) for v in items[-edge:]]
    else:
        texts = [formatter(v) for v in items]
    lines = [", ".join(texts[i:i + per_line]) for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _nested(x, formatter, indent, short):
    if x.dim() == 0:
        return formatter(x.tolist())
    if x.dim() == 1:
        edge = PRINT_OPTS.edgeitems
        if short and x.shape[0] > 2 * edge:  # read only what is shown
            items = x[:edge].tolist() + [None] * (edge and 1) + x[x.shape[0] - edge:].tolist() if edge else []
            if len(items) == 2 * edge + 1:
                return _row(items, formatter, indent, True)
        return _row(x.tolist(), formatter, indent, short)
    count, edge = x.shape[0], PRINT_OPTS.edgeitems
    if short and count > 2 * edge:
        rows = [_nested(x[i], formatter, indent + 1, short) for i in range(edge)] + ["..."]
        rows += [_nested(x[i], formatter, indent + 1, short) for i in range(count - edge, count)]
    else:
        rows = [_nested(x[i], formatter, indent + 1, short) for i in range(count)]
    return "[" + ("," + "\n" * (x.dim() - 1) + " " * (indent + 1)).join(rows) + "]"


def _contents(x, indent):
    if x.numel() == 0:
        return "[]"
    short = x.numel() > PRINT_OPTS.threshold
    shown = _flat(_edges(x).tolist()) if short else _flat(x.tolist())
    if x.dtype.is_complex:
        formatter = _ComplexFormatter(shown)
    else:
        kind = "float" if x.dtype.is_floating_point else "bool" if x.dtype is _C.bool else "int"
        formatter = _Formatter(shown, kind)
    return _nested(x, formatter, indent, short)


def _suffixes(self):
    parts = []
    default = _C.get_default_dtype()
    natural = self.dtype in (default, _C.int64, _C.bool) or self.dtype is default.to_complex()
    if self.numel() == 0:
        if self.dim() != 1:
            parts.append(f"size={tuple(self.shape)}")
        if self.dtype is not default:
            parts.append(f"dtype={self.dtype}")
    elif not natural:
        parts.append(f"dtype={self.dtype}")
    name = "" if self.grad_fn is None else self.grad_fn.name()
    if name:
        parts.append(f"grad_fn=<{name}>")
    elif self.requires_grad:
        parts.append("requires_grad=True")
    return parts


def _join(prefix, contents, suffixes):
    text = prefix + contents
    width = len(text) - text.rfind("\n")
    for suffix in suffixes:
        if width + len(suffix) + 2 > PRINT_OPTS.linewidth:
            text += ",\n" + " " * len(prefix) + suffix
            width = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            width += len(suffix) + 2
    return text + ")"


def _str(self):
    from .overrides import DisableTorchFunctionSubclass

    with no_grad(), DisableTorchFunctionSubclass():
        name = getattr(type(self), "_print_name", None)
        if name:  # Parameter
            return f"{name} containing:\n{_str(self.detach().requires_grad_(self.requires_grad))}"
        prefix = "tensor(" if type(self) is _C.Tensor else f"{type(self).__name__}("
        if self.device.type == "meta":
            parts = ["device='meta'", f"size={tuple(self.shape)}"]
            if self.dtype is not _C.get_default_dtype():
                parts.append(f"dtype={self.dtype}")
            return _join(prefix, "...", parts)
        return _join(prefix, _contents(self.detach(), len(prefix)), _suffixes(self))
