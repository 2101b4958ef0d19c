"""The order in which a DataLoader takes its items; random orders draw the numbers that PyTorch draws."""
import itertools
from typing import Generic, TypeVar

import hearth

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Iterates over keys of a dataset; a length is optional."""

    def __init__(self, data_source=None):
        pass

    def __iter__(self):
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ..."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


def _count(value, name):
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


class RandomSampler(Sampler[int]):
    """A random order, or `num_samples` draws with replacement. Without a generator, one 64-bit draw seeds the order."""

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _count(self.num_samples, "num_samples")

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        total, generator = len(self.data_source), self.generator
        if generator is None:
            seed = int(hearth.empty((), dtype=hearth.int64).random_().item())
            generator = hearth.Generator()
            generator.manual_seed(seed)
        if self.replacement:
            blocks = [32] * (self.num_samples // 32) + [self.num_samples % 32]
            for size in blocks:
                yield from hearth.randint(total, (size,), dtype=hearth.int64, generator=generator).tolist()
        else:
            for _ in range(self.num_samples // total):
                yield from hearth.randperm(total, generator=generator).tolist()
            yield from hearth.randperm(total, generator=generator).tolist()[: self.num_samples % total]

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """These indices in a random order."""

    def __init__(self, indices, generator=None):
        self.indices, self.generator = indices, generator

    def __iter__(self):
        for position in hearth.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[position]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` draws of 0..len(weights)-1 with these weights (they need not add up to 1)."""

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        _count(num_samples, "num_samples")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        weights = hearth.as_tensor(weights, dtype=hearth.float64)
        if len(weights.shape) != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(weights.shape)}")
        self.weights, self.num_samples = weights, num_samples
        self.replacement, self.generator = replacement, generator

    def __iter__(self):
        drawn = hearth.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler[list]):
    """Lists of `batch_size` keys of another sampler; the last, shorter one is left out with `drop_last`."""

    def __init__(self, sampler, batch_size, drop_last):
        _count(batch_size, "batch_size")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self):
        keys = iter(self.sampler)
        batch = list(itertools.islice(keys, self.batch_size))
        while batch and not (self.drop_last and len(batch) < self.batch_size):
            yield batch
            batch = list(itertools.islice(keys, self.batch_size))

    def __len__(self):
        if self.drop_last:
            return len(self.sampler) // self.batch_size
        return (len(self.sampler) + self.batch_size - 1) // self.batch_size
