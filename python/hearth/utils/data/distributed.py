"""The part of a dataset that belongs to one of several processes."""
import math

import hearth

from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """Every `num_replicas`-th index from `rank` on, of an order that `seed + epoch` decides; call set_epoch each epoch."""

    def __init__(self, dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False):
        if num_replicas is None or rank is None:
            if not hearth.distributed.is_available():
                raise RuntimeError("Requires distributed package to be available")
            num_replicas = hearth.distributed.get_world_size() if num_replicas is None else num_replicas
            rank = hearth.distributed.get_rank() if rank is None else rank
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.epoch, self.shuffle, self.seed, self.drop_last = 0, shuffle, seed, drop_last
        total = len(dataset)
        if drop_last and total % num_replicas:
            total = max(total - num_replicas, 0)
        self.num_samples = math.ceil(total / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self):
        total = len(self.dataset)
        if self.shuffle:
            generator = hearth.Generator()
            generator.manual_seed(self.seed + self.epoch)
            indices = hearth.randperm(total, generator=generator).tolist()
        else:
            indices = list(range(total))
        if self.drop_last:
            indices = indices[: self.total_size]
        elif indices:
            missing = self.total_size - total
            indices += (indices * math.ceil(missing / total))[:missing]
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self):
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Another epoch, another order, the same in all processes."""
        self.epoch = epoch
