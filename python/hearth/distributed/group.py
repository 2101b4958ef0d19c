"""Process groups: who takes part. The world is MPI's, brought by the package mpi4py."""
from datetime import timedelta


class ReduceOp:
    """How values of several processes become one."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = "sum", "avg", "product", "min", "max", "band", "bor", "bxor"


reduce_op = ReduceOp
default_pg_timeout = timedelta(minutes=30)


class ProcessGroup:
    """Some processes of the world, in the order of their ranks there."""

    def __init__(self, communicator, ranks):
        self.communicator, self.ranks = communicator, list(ranks)

    def rank(self):
        """This process's place in the group."""
        return self.communicator.Get_rank()

    def size(self):
        """How many processes there are."""
        return self.communicator.Get_size()

    def name(self):
        """The engine."""
        return "mpi"

    group_name = "mpi"


class GroupMember:
    """Names for the group of all and for a group that this process is not in."""

    WORLD = None
    NON_GROUP_MEMBER = -100


class _Group:
    @property
    def WORLD(self):
        """The group of all processes."""
        return GroupMember.WORLD


group = _Group()


class Work:
    """Something under way; `wait` returns when it is done."""

    def __init__(self, requests=(), finish=None):
        self._requests, self._finish = list(requests), finish

    def wait(self, timeout=None):
        """Waits and puts the result in place."""
        for request in self._requests:
            request.Wait()
        self._requests = []
        finish, self._finish = self._finish, None
        if finish is not None:
            finish()
        return True

    def is_completed(self):
        """Whether `wait` would return at once."""
        return all(request.Test() for request in self._requests)

    def is_success(self):
        """Always, once it is completed: MPI raises otherwise."""
        return self.is_completed()


def mpi():
    """mpi4py's MPI module. Raises RuntimeError when it cannot be had."""
    try:
        from mpi4py import MPI
    except Exception as error:  # no package, or no MPI library behind it
        raise RuntimeError(f"distributed: MPI is needed (a Debian package such as openmpi-bin, and pip install mpi4py): {error}") from None
    return MPI


def is_available():
    """Whether the package can talk to other processes."""
    return True


def is_mpi_available():
    """Whether mpi4py and an MPI library are there."""
    try:
        mpi()
    except RuntimeError:
        return False
    return True


def is_gloo_available():
    """No: hearth has MPI only."""
    return False


is_nccl_available = is_ucc_available = is_gloo_available


def is_torchelastic_launched():
    """No: mpirun starts the processes."""
    return False


def init_process_group(backend=None, init_method=None, timeout=None, world_size=-1, rank=-1, store=None, group_name="",
                       pg_options=None, device_id=None):
    """Joins the world that mpirun has started. world_size and rank, if given, must be those of MPI."""
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    if backend is not None and "mpi" not in str(backend).lower():
        raise RuntimeError(f"init_process_group: backend {backend!r} is not in hearth; use \"mpi\" and start with mpirun")
    if store is not None:
        raise ValueError("init_process_group: MPI needs no store")
    world = mpi().COMM_WORLD
    if world_size not in (-1, None, world.Get_size()) or rank not in (-1, None, world.Get_rank()):
        raise ValueError(f"init_process_group: MPI says rank {world.Get_rank()} of {world.Get_size()}: given {rank} of {world_size}")
    GroupMember.WORLD = ProcessGroup(world.Dup(), range(world.Get_size()))


def is_initialized():
    """Whether init_process_group was called."""
    return GroupMember.WORLD is not None


def destroy_process_group(group=None):
    """Leaves a group, or all."""
    if group is None or group is GroupMember.WORLD:
        resolve(None)
        GroupMember.WORLD = None
    else:
        group.communicator.Free()


def resolve(chosen):
    """The group meant; None is the world. Raises ValueError before init_process_group."""
    if GroupMember.WORLD is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return GroupMember.WORLD if chosen is None else chosen


def get_rank(group=None):
    """This process's rank, -1 outside the group."""
    found = resolve(group)
    return -1 if found == GroupMember.NON_GROUP_MEMBER else found.rank()


def get_world_size(group=None):
    """The number of processes, -1 outside the group."""
    found = resolve(group)
    return -1 if found == GroupMember.NON_GROUP_MEMBER else found.size()


def get_backend(group=None):
    """The engine's name."""
    resolve(group)
    return "mpi"


def new_group(ranks=None, timeout=None, backend=None, pg_options=None, use_local_synchronization=False, group_desc=None):
    """A group of some ranks of the world; every process of the world has to call it."""
    world = resolve(None)
    ranks = list(range(world.size())) if ranks is None else sorted(ranks)
    if len(set(ranks)) != len(ranks) or any(not 0 <= r < world.size() for r in ranks):
        raise ValueError(f"new_group: ranks must be different and below {world.size()}: {ranks}")
    inside = world.rank() in ranks
    communicator = world.communicator.Split(0 if inside else mpi().UNDEFINED, world.rank())
    return ProcessGroup(communicator, ranks) if inside else GroupMember.NON_GROUP_MEMBER


def get_process_group_ranks(group):
    """The world's ranks in a group."""
    return list(resolve(group).ranks)


def get_global_rank(group, group_rank):
    """The world's rank of a group's rank."""
    return resolve(group).ranks[group_rank]


def get_group_rank(group, global_rank):
    """A group's rank of one of the world's."""
    ranks = resolve(group).ranks
    if global_rank not in ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group")
    return ranks.index(global_rank)


def monitored_barrier(group=None, timeout=None, wait_all_ranks=False):
    """A barrier; MPI itself ends the run when a process is gone."""
    resolve(group).communicator.Barrier()
