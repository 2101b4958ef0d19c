"""AdaptiveLogSoftmaxWithLoss: softmax over many classes, the rare ones in clusters of smaller width."""

from collections import namedtuple

import hearth

from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Classes sorted by frequency, cut at `cutoffs` into a head and clusters (Grave et al. 2016).

    input [N, in_features], target [N]; returns (output: log-probability of the target [N], loss: minus its mean).
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs, div_value: float = 4.0, head_bias: bool = False, device=None,
        dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        cutoffs = list(cutoffs)
        if len(cutoffs) == 0:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(cutoffs)
            or min(cutoffs) <= 0
            or max(cutoffs) > n_classes - 1
            or len(set(cutoffs)) != len(cutoffs)
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
        kind = {"device": device, "dtype": dtype}
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = cutoffs + [n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(self.in_features, self.head_size, bias=self.head_bias, **kind)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(self.in_features // (self.div_value ** (i + 1)))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            down = Linear(self.in_features, width, bias=False, **kind)
            self.tail.append(Sequential(down, Linear(width, size, bias=False, **kind)))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for down, up in self.tail:
            down.reset_parameters()
            up.reset_parameters()

    def _check(self, input, target):
        if target.dim() == 1:
            if input.size(0) != target.size(0):
                raise RuntimeError("Input and target should have the same size in the batch dimension.")
            if input.dim() != 2:
                raise RuntimeError(f"1D target tensor expects 2D input tensors, but found inputs with size {input.size()}")
        elif target.dim() == 0:
            if input.dim() != 1:
                raise RuntimeError(f"0D target tensor expects 1D input tensors, but found inputs with size {input.size()}")
        else:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")

    def forward(self, input_, target_):
        self._check(input_, target_)
        batched = target_.dim() > 0
        input = input_ if batched else input_.unsqueeze(0)
        target = target_ if batched else target_.unsqueeze(0)
        low, high = int(target.min()), int(target.max())
        if low < 0 or high >= self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{low}, {high}] were "
                "found. "
            )
        output = input.new_zeros(target.size(0))
        # In the head, a class of cluster i stands as class shortlist_size + i.
        head_target = target.clone()
        bounds = [0] + self.cutoffs
        for i in range(self.n_clusters):
            inside = (target >= bounds[i + 1]) & (target < bounds[i + 2])
            rows = inside.nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            head_target[rows] = self.shortlist_size + i
            logp = F.log_softmax(self.tail[i](input.index_select(0, rows)), dim=1)
            relative = target.index_select(0, rows) - bounds[i + 1]
            output = output.index_copy(0, rows, logp.gather(1, relative.unsqueeze(1)).squeeze(1))
        head_logp = F.log_softmax(self.head(input), dim=1)
        output = output + head_logp.gather(1, head_target.unsqueeze(1)).squeeze()
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _get_full_log_prob(self, input, head_output):
        head = F.log_softmax(head_output, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i in range(self.n_clusters):
            inside = F.log_softmax(self.tail[i](input), dim=1)
            parts.append(inside + head[:, self.shortlist_size + i].unsqueeze(1))
        return hearth.cat(parts, dim=1)

    def log_prob(self, input):
        """The log-probability of every class [N, n_classes]."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input):
        """The most likely class of each row [N]; the clusters are only asked where the head points to one."""
        head_output = self.head(input)
        best = hearth.argmax(head_output, dim=1)
        in_tail = best >= self.shortlist_size
        if not in_tail.any():
            return best
        full = self._get_full_log_prob(input[in_tail], head_output[in_tail])
        best[in_tail] = hearth.argmax(full, dim=1)
        return best
