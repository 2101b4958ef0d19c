"""Collective and point-to-point communication of tensors."""
from .. import _C
from .._C import Tensor
from .._grad_mode import no_grad
from .group import GroupMember, ReduceOp, Work, get_group_rank, mpi, resolve

_TYPES = {
    "float32": "FLOAT", "float64": "DOUBLE", "int64": "INT64_T", "int32": "INT32_T", "int16": "INT16_T", "int8": "INT8_T",
    "uint8": "UINT8_T", "uint16": "UINT16_T", "uint32": "UINT32_T", "uint64": "UINT64_T", "bool": "UINT8_T",
    "complex64": "C_FLOAT_COMPLEX", "complex128": "C_DOUBLE_COMPLEX",
}
_OPS = {"sum": "SUM", "avg": "SUM", "product": "PROD", "min": "MIN", "max": "MAX", "band": "BAND", "bor": "BOR", "bxor": "BXOR"}


def _check(tensor, op):
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{op}: a Tensor is needed: got {type(tensor).__name__}")


def _outside(group):
    return group == GroupMember.NON_GROUP_MEMBER


def _message(tensor, reducing=False):
    """(MPI's view of the memory, the tensor whose memory it is): contiguous, and of a type that MPI can add up."""
    kept = tensor.detach().contiguous()
    name = str(kept.dtype).split(".")[-1]
    if name not in _TYPES:  # 16-bit floats: added up in float32, else sent as bytes
        if reducing:
            kept, name = kept.to(_C.float32), "float32"
        else:
            return [_memory(kept), "B"], kept
    return [_memory(kept), kept.numel(), getattr(mpi(), _TYPES[name])], kept


def _memory(tensor):
    return mpi().memory.fromaddress(tensor.data_ptr(), tensor.numel() * tensor.element_size())


def _put(tensor, kept):
    if kept.data_ptr() != tensor.data_ptr() or kept.dtype is not tensor.dtype:
        with no_grad():
            tensor.detach().copy_(kept)


def _done(work, async_op):
    if async_op:
        return work
    work.wait()
    return None


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """Every process gets `op` over all processes' tensors, in place."""
    _check(tensor, "all_reduce")
    group = resolve(group)
    if _outside(group):
        return None
    message, kept = _message(tensor, reducing=True)
    if kept.data_ptr() == tensor.data_ptr() and not tensor.is_contiguous():
        kept = kept.clone()
    request = group.communicator.Iallreduce(mpi().IN_PLACE, message, getattr(mpi(), _OPS[op]))

    def finish():
        if op == ReduceOp.AVG:
            kept.div_(group.size()) if kept.is_floating_point() else kept.floor_divide_(group.size())
        _put(tensor, kept)

    return _done(Work([request], finish), async_op)


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """Process `dst` gets `op` over all processes' tensors, in place."""
    _check(tensor, "reduce")
    group = resolve(group)
    if _outside(group):
        return None
    root = group_dst if dst is None else get_group_rank(group, dst)
    message, kept = _message(tensor, reducing=True)
    is_root = group.rank() == root
    group.communicator.Reduce(mpi().IN_PLACE if is_root else message, message if is_root else None,
                              getattr(mpi(), _OPS[op]), root)
    if is_root:
        if op == ReduceOp.AVG:
            kept.div_(group.size())
        _put(tensor, kept)
    return _done(Work(), async_op)


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """Every process gets what `src` has, in place."""
    _check(tensor, "broadcast")
    group = resolve(group)
    if _outside(group):
        return None
    root = group_src if src is None else get_group_rank(group, src)
    message, kept = _message(tensor)
    request = group.communicator.Ibcast(message, root)
    return _done(Work([request], lambda: _put(tensor, kept)), async_op)


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Every process gets all processes' tensors, in the list."""
    group = resolve(group)
    if _outside(group):
        return None
    if len(tensor_list) != group.size():
        raise ValueError(f"all_gather: {group.size()} output tensors are needed: got {len(tensor_list)}")
    whole = _C.empty((group.size(),) + tuple(tensor.shape), dtype=tensor.dtype)
    all_gather_into_tensor(whole, tensor, group)
    with no_grad():
        for target, value in zip(tensor_list, whole):
            target.detach().copy_(value)
    return _done(Work(), async_op)


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """The tensors of all processes one after the other."""
    group = resolve(group)
    if _outside(group):
        return None
    if output_tensor.numel() != input_tensor.numel() * group.size():
        raise ValueError(f"all_gather_into_tensor: the output has {output_tensor.numel()} elements, needed are "
                         f"{input_tensor.numel() * group.size()}")
    sent, _kept = _message(input_tensor)
    received, kept = _message(output_tensor)
    if len(received) == 3:
        received[1] = input_tensor.numel()
    group.communicator.Allgather(sent, received)
    _put(output_tensor, kept)
    return _done(Work(), async_op)


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """Process `dst` gets all processes' tensors, in the list."""
    group = resolve(group)
    if _outside(group):
        return None
    root = group_dst if group_dst is not None else get_group_rank(group, dst or 0)
    if (group.rank() == root) != bool(gather_list):
        raise ValueError("gather: gather_list must be given on the destination, and only there")
    whole = _C.empty((group.size(),) + tuple(tensor.shape), dtype=tensor.dtype)
    sent, _kept = _message(tensor)
    received, kept = _message(whole)
    if len(received) == 3:
        received[1] = tensor.numel()
    group.communicator.Gather(sent, received if group.rank() == root else None, root)
    if group.rank() == root:
        with no_grad():
            for target, value in zip(gather_list, kept.reshape(whole.shape)):
                target.detach().copy_(value)
    return _done(Work(), async_op)


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """Process i gets entry i of the list that `src` has."""
    group = resolve(group)
    if _outside(group):
        return None
    root = group_src if group_src is not None else get_group_rank(group, src or 0)
    if group.rank() == root and (scatter_list is None or len(scatter_list) != group.size()):
        raise ValueError(f"scatter: a list of {group.size()} tensors is needed on the source")
    sent = None
    if group.rank() == root:
        sent, _kept = _message(_C.stack([t.detach() for t in scatter_list]))
        if len(sent) == 3:
            sent[1] = tensor.numel()
    received, kept = _message(tensor)
    group.communicator.Scatter(sent, received, root)
    _put(tensor, kept)
    return _done(Work(), async_op)


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Process i gets `op` over entry i of all processes' lists."""
    group = resolve(group)
    if _outside(group):
        return None
    return reduce_scatter_tensor(output, _C.stack([t.detach() for t in input_list]), op, group, async_op)


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """The same with the list in one tensor."""
    group = resolve(group)
    if _outside(group):
        return None
    whole = input.detach().clone()
    all_reduce(whole, op, group)
    part = whole.reshape(-1).chunk(group.size())[group.rank()]
    with no_grad():
        output.detach().copy_(part.reshape(output.shape))
    return _done(Work(), async_op)


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Process i gets entry i of every process's list."""
    group = resolve(group)
    if _outside(group):
        return None
    requests, kept = [], []
    for peer, tensor in enumerate(input_tensor_list):
        message, owner = _message(tensor)
        kept.append(owner)
        requests.append(group.communicator.Isend(message, peer))
    for peer, tensor in enumerate(output_tensor_list):
        message, owner = _message(tensor)
        group.communicator.Recv(message, peer)
        _put(tensor, owner)
    return _done(Work(requests, kept.clear), async_op)


def send(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Sends to one process and waits until the memory may be used again."""
    isend(tensor, dst, group, tag, group_dst).wait()


def isend(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Begins to send."""
    _check(tensor, "isend")
    group = resolve(group)
    peer = group_dst if group_dst is not None else get_group_rank(group, dst)
    if peer == group.rank():
        raise ValueError("isend: invalid destination rank: a process cannot send to itself")
    message, kept = _message(tensor)
    return Work([group.communicator.Isend(message, peer, tag)], lambda kept=kept: None)


def recv(tensor, src=None, group=None, tag=0, group_src=None):
    """Receives from a process (any, when None); returns its rank."""
    group = resolve(group)
    status = mpi().Status()
    peer = group_src if group_src is not None else mpi().ANY_SOURCE if src is None else get_group_rank(group, src)
    message, kept = _message(tensor)
    group.communicator.Recv(message, peer, tag, status)
    _put(tensor, kept)
    return group.ranks[status.Get_source()]


def irecv(tensor, src=None, group=None, tag=0, group_src=None):
    """Begins to receive."""
    group = resolve(group)
    peer = group_src if group_src is not None else mpi().ANY_SOURCE if src is None else get_group_rank(group, src)
    message, kept = _message(tensor)
    return Work([group.communicator.Irecv(message, peer, tag)], lambda: _put(tensor, kept))


def barrier(group=None, async_op=False, device_ids=None):
    """Waits until every process is here."""
    group = resolve(group)
    if _outside(group):
        return None
    return _done(Work([group.communicator.Ibarrier()]), async_op)
