"""nn.functional: connectionist temporal classification (Graves et al. 2006), by its own forward and backward sums."""
import math

import hearth

from ._functional_loss import reduction_name


def _label_rows(targets, target_lengths, blank, longest):
    """Each target with blanks between, [N, 2 longest + 1], padded with blanks."""
    rows = []
    start = 0
    flat = targets.tolist()
    for i, length in enumerate(target_lengths):
        labels = flat[i][:length] if targets.dim() == 2 else flat[start:start + length]
        start += length
        row = [blank] * (2 * longest + 1)
        row[1:2 * length:2] = labels
        rows.append(row)
    return hearth.tensor(rows, dtype=hearth.int64).reshape(len(target_lengths), 2 * longest + 1)


def _shifted(x, count):
    """Moved to the right by `count`, minus infinity coming in."""
    fill = hearth.full([x.shape[0], min(count, x.shape[1])], -math.inf, dtype=x.dtype)
    return hearth.cat([fill, x[:, :max(0, x.shape[1] - count)]], 1)


def _sum_of_paths(a, b, c):
    most = hearth.maximum(hearth.maximum(a, b), c)
    safe = most.masked_fill(most == -math.inf, 0)
    total = (a - safe).exp() + (b - safe).exp() + (c - safe).exp()
    return total.log() + safe


def _forward_sums(picked, may_skip, lengths):
    """log alpha [T, N, S] of picked log-probabilities [T, N, S]."""
    steps, _, states = picked.shape
    start = hearth.full(picked.shape[1:], -math.inf, dtype=picked.dtype)
    start[:, 0] = picked[0, :, 0]
    if states > 1:
        start[:, 1] = hearth.where(lengths > 0, picked[0, :, 1], start[:, 1])
    alphas = [start]
    for t in range(1, steps):
        last = alphas[-1]
        skipped = _shifted(last, 2).masked_fill(~may_skip, -math.inf)
        alphas.append(_sum_of_paths(last, _shifted(last, 1), skipped) + picked[t])
    return hearth.stack(alphas)


def _backward_sums(picked, may_skip, input_lengths, lengths):
    """log beta [T, N, S]: what follows a state, the state itself included."""
    steps, n, states = picked.shape
    column = hearth.arange(states).unsqueeze(0)
    ends = ((column == 2 * lengths.unsqueeze(1)) | (column == 2 * lengths.unsqueeze(1) - 1)) & (column >= 0)
    skip_next = hearth.cat([may_skip[:, 2:], hearth.zeros([n, min(2, states)], dtype=hearth.bool)], 1)[:, :states]
    beta = hearth.full([n, states], -math.inf, dtype=picked.dtype)
    betas = []
    for t in range(steps - 1, -1, -1):
        ahead = beta.flip([1])
        one, two = _shifted(ahead, 1).flip([1]), _shifted(ahead, 2).flip([1]).masked_fill(~skip_next, -math.inf)
        onward = _sum_of_paths(beta, one, two) + picked[t]
        is_last = (input_lengths - 1 == t).unsqueeze(1)
        fresh = picked[t].masked_fill(~ends, -math.inf)
        beta = hearth.where(is_last, fresh, onward)
        beta = beta.masked_fill((input_lengths - 1 < t).unsqueeze(1), -math.inf)
        betas.append(beta)
    betas.reverse()
    return hearth.stack(betas)


class CtcLoss(hearth.autograd.Function):
    """Losses [N] of log-probabilities [T, N, C]. As in PyTorch the gradient is that of the logits before log_softmax."""

    @staticmethod
    def forward(ctx, log_probs, rows, input_lengths, lengths, blank, zero_infinity):
        steps, n, _ = log_probs.shape
        states = rows.shape[1]
        picked = log_probs.gather(2, rows.unsqueeze(0).expand(steps, n, states))
        may_skip = (rows != blank) & (rows != rows.roll(2, 1))
        may_skip[:, :2] = False
        alphas = _forward_sums(picked, may_skip, lengths)
        batch = hearth.arange(n)
        at_end = alphas[(input_lengths - 1).clamp_min(0), batch]
        last = at_end[batch, 2 * lengths]
        before = hearth.where(lengths > 0, at_end[batch, (2 * lengths - 1).clamp_min(0)],
                              hearth.full_like(last, -math.inf))
        most = hearth.maximum(last, before)
        safe = most.masked_fill(most == -math.inf, 0)
        likelihood = ((last - safe).exp() + (before - safe).exp()).log() + safe
        # Without a step only the empty target is certain.
        nothing = hearth.where(lengths == 0, hearth.zeros_like(likelihood), hearth.full_like(likelihood, -math.inf))
        likelihood = hearth.where(input_lengths == 0, nothing, likelihood)
        ctx.save_for_backward(log_probs, rows, input_lengths, lengths, picked, may_skip, alphas, likelihood)
        ctx.zero_infinity = zero_infinity
        return -likelihood

    @staticmethod
    @hearth.autograd.function.once_differentiable
    def backward(ctx, grad):
        log_probs, rows, input_lengths, lengths, picked, may_skip, alphas, likelihood = ctx.saved_tensors
        betas = _backward_sums(picked, may_skip, input_lengths, lengths)
        steps, n, states = picked.shape
        # exp(alpha + beta - 2 log p + likelihood...): beta holds the step's own probability too, so it is taken off once.
        paths = (alphas + betas - picked - likelihood.reshape(1, n, 1)).exp().nan_to_num(nan=0.0)
        index = rows.unsqueeze(0).expand(steps, n, states)
        used = hearth.zeros_like(log_probs).scatter_add(2, index, paths)
        made = (log_probs.exp() - used) * grad.reshape(1, n, 1)
        beyond = hearth.arange(steps).unsqueeze(1) >= input_lengths.unsqueeze(0)
        made = made.masked_fill(beyond.unsqueeze(2), 0)
        if ctx.zero_infinity:
            made = made.masked_fill((likelihood == -math.inf).reshape(1, n, 1), 0)
        return made, None, None, None, None, None


def _lengths(values, what):
    if isinstance(values, hearth.Tensor):
        values = values.reshape(-1).tolist()
    values = [values] if isinstance(values, int) else list(values)
    if any(isinstance(v, float) for v in values):
        raise RuntimeError(f"{what} must be integral")
    return [int(v) for v in values]


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """The negative log-likelihood of target sequences under log-probabilities [T, N, C] (or [T, C]) of each step."""
    reduction = reduction_name(None, None, reduction)
    if not log_probs.is_floating_point():
        raise RuntimeError(f"ctc_loss: log_probs must be floating, got {log_probs.dtype}")
    batched = log_probs.dim() == 3
    if not batched:
        log_probs, targets = log_probs.unsqueeze(1), targets.reshape(1, -1)
    steps, n, classes = log_probs.shape
    ins, outs = _lengths(input_lengths, "input_lengths"), _lengths(target_lengths, "target_lengths")
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if len(ins) != n or len(outs) != n:
        raise RuntimeError(f"input_lengths and target_lengths must be of size batch_size {n}: got {len(ins)} and {len(outs)}")
    if any(not 0 <= v <= steps for v in ins):
        raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {max(ins)}")
    if any(v < 0 for v in outs) or (targets.dim() == 2 and any(v > targets.shape[1] for v in outs)):
        raise RuntimeError(f"Expected tensor to have size at least {max(outs)} at dimension 1, but got size "
                           f"{list(targets.shape)}")
    if targets.dim() == 1 and sum(outs) != targets.shape[0]:
        raise RuntimeError(f"targets has {targets.shape[0]} labels, target_lengths add up to {sum(outs)}")
    rows = _label_rows(targets, outs, blank, max(outs, default=0))
    ins, outs = hearth.tensor(ins, dtype=hearth.int64), hearth.tensor(outs, dtype=hearth.int64)
    wide = log_probs.float() if log_probs.dtype in (hearth.float16, hearth.bfloat16) else log_probs
    losses = CtcLoss.apply(wide, rows, ins, outs, blank, zero_infinity).to(log_probs.dtype)
    if zero_infinity:
        losses = hearth.where(losses == math.inf, hearth.zeros_like(losses), losses)
    if reduction == "none":
        return losses if batched else losses.squeeze(0)
    if reduction == "sum":
        return losses.sum()
    return (losses / outs.clamp_min(1).to(losses.dtype)).mean()
