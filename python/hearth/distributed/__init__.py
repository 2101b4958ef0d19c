"""torch.distributed over MPI: start with `mpirun -n N python -m hearth program.py` and init_process_group("mpi")."""
from .collectives import (all_gather, all_gather_into_tensor, all_reduce, all_to_all, barrier, broadcast, gather, irecv,  # noqa: F401
                          isend, recv, reduce, reduce_scatter, reduce_scatter_tensor, scatter, send)
from .group import (GroupMember, ProcessGroup, ReduceOp, Work, destroy_process_group, get_backend, get_global_rank,  # noqa: F401
                    get_group_rank, get_process_group_ranks, get_rank, get_world_size, group, init_process_group, is_available,
                    is_gloo_available, is_initialized, is_mpi_available, is_nccl_available, is_torchelastic_launched,
                    monitored_barrier, new_group, reduce_op)
from .objects import all_gather_object, broadcast_object_list, gather_object, scatter_object_list  # noqa: F401

_all_gather_base = all_gather_into_tensor
_reduce_scatter_base = reduce_scatter_tensor


def __getattr__(name):
    if name in ("nn", "optim", "elastic", "checkpoint", "tensor", "fsdp", "rpc", "pipelining", "algorithms"):
        raise AttributeError(f"torch.distributed.{name} is not in hearth; there are collectives over MPI and "
                             "torch.nn.parallel.DistributedDataParallel")
    from .._names import missing

    raise missing("torch.distributed", name, list(globals()))
