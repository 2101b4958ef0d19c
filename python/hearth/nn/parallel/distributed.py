"""DistributedDataParallel: every process trains a copy on its part of the data; gradients are averaged after backward."""
from contextlib import contextmanager

from ... import _C
from ..._grad_mode import no_grad
from ...autograd import _final_callbacks
from ..modules.module import Module
from ...distributed.collectives import all_reduce, broadcast
from ...distributed.group import ReduceOp, resolve


class DistributedDataParallel(Module):
    """Wraps a module: parameters and buffers start as those of rank 0, and after each backward every process holds the
    average of all gradients. bucket_cap_mb bounds one message; find_unused_parameters lets parameters stay unused."""

    def __init__(self, module, device_ids=None, output_device=None, dim=0, broadcast_buffers=True, init_sync=True,
                 process_group=None, bucket_cap_mb=None, find_unused_parameters=False, check_reduction=False,
                 gradient_as_bucket_view=False, static_graph=False):
        super().__init__()
        if device_ids or output_device is not None:
            raise ValueError("DistributedDataParallel: device_ids and output_device are for GPUs: leave them out on the CPU")
        if gradient_as_bucket_view:
            raise NotImplementedError("DistributedDataParallel: gradient_as_bucket_view is not in hearth")
        self.module = module
        self.process_group = resolve(process_group)
        self.broadcast_buffers = broadcast_buffers
        self.find_unused_parameters = find_unused_parameters or static_graph
        self.bucket_bytes = int((bucket_cap_mb or 25) * 1024 * 1024)
        self.require_backward_grad_sync = True
        self._queued = False
        self._unused = None
        learned = [p for p in module.parameters() if p.requires_grad]
        if not learned:
            raise RuntimeError("DistributedDataParallel is not needed when a module doesn't have any parameters that require a "
                               "gradient.")
        if init_sync:
            self._sync(list(module.parameters()) + list(module.buffers()))
        self._buckets = self._make_buckets(learned)
        for p in learned:
            p.register_post_accumulate_grad_hook(self._gradient_ready)

    def _sync(self, tensors):
        for tensor in tensors:
            broadcast(tensor.data, group_src=0, group=self.process_group)

    def _make_buckets(self, parameters):
        """Lists of parameters of one dtype, last ones first, as backward finds them."""
        buckets, sizes = [], {}
        for p in reversed(parameters):
            place = sizes.get(p.dtype)
            bytes_of = p.numel() * p.element_size()
            if place is None or place[1] + bytes_of > self.bucket_bytes:
                buckets.append([])
                place = sizes[p.dtype] = [buckets[-1], 0]
            place[0].append(p)
            place[1] += bytes_of
        return buckets

    def _gradient_ready(self, parameter):
        if self.require_backward_grad_sync and not self._queued:
            self._queued = True
            _final_callbacks.append(self._reduce)

    def _reduce(self):
        self._queued = False
        parameters = [p for bucket in self._buckets for p in bucket]
        missing = [p for p in parameters if p.grad is None]
        if missing and not self.find_unused_parameters:
            self._unused = len(missing)
        used = None
        if self.find_unused_parameters:
            used = _C.tensor([0 if p.grad is None else 1 for p in parameters], dtype=_C.int32)
            all_reduce(used, ReduceOp.MAX, self.process_group)
            used = dict(zip(map(id, parameters), used.tolist()))
        with no_grad():
            for bucket in self._buckets:
                self._average(bucket, used)

    def _average(self, bucket, used):
        parts = [(_C.zeros(p.shape, dtype=p.dtype) if p.grad is None else p.grad).reshape(-1) for p in bucket]
        flat = _C.cat(parts)
        all_reduce(flat, ReduceOp.AVG, self.process_group)
        start = 0
        for p in bucket:
            part = flat[start:start + p.numel()].reshape(p.shape)
            start += p.numel()
            if p.grad is not None:
                p.grad.copy_(part)
            elif used is not None and used[id(p)]:
                p.grad = part.clone()

    def forward(self, *args, **kwargs):
        """The module's forward; buffers are made equal first."""
        if self._unused:
            raise RuntimeError(f"Expected to have finished reduction in the prior iteration before starting a new one: {self._unused} "
                               "parameters got no gradient; pass find_unused_parameters=True")
        if self.broadcast_buffers and self.require_backward_grad_sync and self.module.training:
            self._sync(self.module.buffers())
        return self.module(*args, **kwargs)

    @contextmanager
    def no_sync(self):
        """A block in which gradients are added up locally only."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before
