"""Collectives for Python objects; they travel pickled, between processes of one program."""
from .group import get_group_rank, resolve


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None):
    """Every process's list gets the objects of `src`."""
    group = resolve(group)
    root = group_src if group_src is not None else get_group_rank(group, src or 0)
    object_list[:] = group.communicator.bcast(list(object_list), root)


def all_gather_object(object_list, obj, group=None):
    """The list gets every process's object."""
    object_list[:] = resolve(group).communicator.allgather(obj)


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None):
    """The list of `dst` gets every process's object."""
    group = resolve(group)
    root = group_dst if group_dst is not None else get_group_rank(group, dst or 0)
    found = group.communicator.gather(obj, root)
    if found is not None:
        object_gather_list[:] = found


def scatter_object_list(scatter_object_output_list, scatter_object_input_list=None, src=None, group=None, group_src=None):
    """Each process gets its entry of the list of `src`."""
    group = resolve(group)
    root = group_src if group_src is not None else get_group_rank(group, src or 0)
    scatter_object_output_list[0] = group.communicator.scatter(scatter_object_input_list, root)
