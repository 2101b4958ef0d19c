"""Datasets, samplers and the DataLoader: batches, order under a seed, worker processes and their failures."""
import collections
import os
import time

import pytest

import hearth as torch
from hearth.utils import data


class Numbers(data.Dataset):
    def __init__(self, count=10):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        return {"x": torch.full((3,), float(i)), "i": i, "f": i / 2, "s": str(i), "t": (i, torch.tensor([i]))}


class Stream(data.IterableDataset):
    def __init__(self, count=10):
        self.count = count

    def __iter__(self):
        info = data.get_worker_info()
        return iter(range(self.count) if info is None else range(info.id, self.count, info.num_workers))


class Failing(Numbers):
    def __init__(self, how):
        super().__init__(4)
        self.how = how

    def __getitem__(self, i):
        if i == 2:
            self.how()
        return i


def boom():
    raise KeyError("boom")


def test_batches_of_everything():
    batches = list(data.DataLoader(Numbers(), batch_size=4))
    assert [len(batch["s"]) for batch in batches] == [4, 4, 2]
    assert batches[1]["x"].shape == (4, 3) and batches[1]["i"].tolist() == [4, 5, 6, 7]
    assert batches[0]["f"].dtype == torch.float64 and batches[0]["t"][1].shape == (4, 1)
    assert len(data.DataLoader(Numbers(), batch_size=4, drop_last=True)) == 2
    assert [item["i"] for item in data.DataLoader(Numbers(3), batch_size=None)] == [0, 1, 2]


def test_the_order_under_a_seed_is_pytorchs():
    """Each pass draws the base seed, then the seed of the order (frozen from PyTorch 2.15)."""
    torch.manual_seed(0)
    loader = data.DataLoader(range(10), batch_size=5, shuffle=True)
    passes = [[batch.tolist() for batch in loader] for _ in range(2)]
    assert passes == FROZEN_PASSES
    assert torch.rand(1).item() == pytest.approx(FROZEN_NEXT, abs=1e-7)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("persistent", [False, True])
def test_workers_give_the_same_batches(workers, persistent):
    def passes(**settings):
        torch.manual_seed(3)
        loader = data.DataLoader(Numbers(), batch_size=3, shuffle=True, **settings)
        return [[batch["i"].tolist() for batch in loader] for _ in range(1 if persistent else 2)]

    assert passes(num_workers=workers, persistent_workers=persistent) == passes()


def test_persistent_workers_go_on():
    loader = data.DataLoader(Numbers(), batch_size=2, num_workers=2, persistent_workers=True)
    first = [batch["i"].tolist() for batch in loader]
    workers = [process.pid for process in loader._iterator._workers]
    for batch in loader:  # a pass that is broken off
        break
    assert [batch["i"].tolist() for batch in loader] == first
    assert workers == [process.pid for process in loader._iterator._workers]


def test_streams():
    assert [b.tolist() for b in data.DataLoader(Stream(), batch_size=4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [b.tolist() for b in data.DataLoader(Stream(), batch_size=3, num_workers=2)] == [
        [0, 2, 4], [1, 3, 5], [6, 8], [7, 9]]
    assert [b.tolist() for b in data.DataLoader(Stream(), batch_size=4, drop_last=True)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(ValueError, match="shuffle"):
        data.DataLoader(Stream(), shuffle=True)


def test_workers_know_who_they_are():
    class Who(data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            info = data.get_worker_info()
            return info.id, info.num_workers, info.seed - info.id, int(torch.initial_seed() == info.seed)

    torch.manual_seed(1)
    rows = [tuple(int(v) for v in row) for row in data.DataLoader(Who(), num_workers=2, batch_size=None)]
    assert [row[0] for row in rows] == [0, 1, 0, 1] and {row[1] for row in rows} == {2}
    assert len({row[2] for row in rows}) == 1 and all(row[3] for row in rows)
    assert data.get_worker_info() is None


def test_large_tensors_come_through_shared_memory():
    class Large(Numbers):
        def __getitem__(self, i):
            return torch.full((300, 300), float(i))

    batches = list(data.DataLoader(Large(4), batch_size=2, num_workers=2))
    assert [batch.mean().item() for batch in batches] == [0.5, 2.5]
    assert not [name for name in os.listdir("/dev/shm") if name.startswith(f"hearth-{os.getpid()}-")]


def test_errors_in_workers_keep_class_and_traceback():
    with pytest.raises(KeyError) as error:
        list(data.DataLoader(Failing(boom), num_workers=2))
    assert "Caught KeyError in DataLoader worker process" in str(error.value) and "boom" in str(error.value)

    class Wants(Exception):
        def __init__(self, one, two):
            super().__init__(one)

    def wanting():
        raise Wants(1, 2)

    with pytest.raises(RuntimeError, match="Wants"):
        list(data.DataLoader(Failing(wanting), num_workers=1))


def test_a_dead_worker_is_told_at_once():
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(data.DataLoader(Failing(lambda: os._exit(1)), num_workers=2))
    assert time.monotonic() - start < 4


def test_timeout():
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="timed out after 0.5 seconds"):
        list(data.DataLoader(Failing(lambda: time.sleep(30)), num_workers=1, timeout=0.5))
    assert time.monotonic() - start < 5


def test_results_in_any_order():
    batches = [batch.tolist() for batch in data.DataLoader(range(10), num_workers=2, batch_size=2, in_order=False)]
    assert sorted(sum(batches, [])) == list(range(10))


def test_worker_init_and_spawn():
    started = []
    list(data.DataLoader(range(2), num_workers=1, worker_init_fn=started.append))
    assert started == []  # it ran elsewhere

    def fail(number):
        raise ValueError("at the start")

    with pytest.raises(ValueError, match="at the start"):
        list(data.DataLoader(range(2), num_workers=1, worker_init_fn=fail))
    loader = data.DataLoader(range(4), num_workers=1, multiprocessing_context="spawn", batch_size=2)
    assert [b.tolist() for b in loader] == [[0, 1], [2, 3]]


def test_wrong_arguments():
    for settings in (dict(num_workers=-1), dict(timeout=-1), dict(prefetch_factor=2), dict(persistent_workers=True),
                     dict(shuffle=True, sampler=[1]), dict(batch_sampler=[[1]], batch_size=2),
                     dict(batch_size=None, drop_last=True), dict(batch_size=0), dict(num_workers=1, prefetch_factor=-1),
                     dict(multiprocessing_context="fork"), dict(num_workers=1, multiprocessing_context="nonsense")):
        with pytest.raises(ValueError):
            data.DataLoader(range(4), **settings)
    loader = data.DataLoader(range(4))
    with pytest.raises(ValueError, match="should not be set after"):
        loader.batch_size = 3


def test_samplers():
    assert list(data.SequentialSampler(range(3))) == [0, 1, 2]
    assert sorted(data.RandomSampler(range(5))) == list(range(5))
    assert len(list(data.RandomSampler(range(5), num_samples=12))) == 12
    assert set(data.RandomSampler(range(3), replacement=True, num_samples=70)) == {0, 1, 2}
    assert sorted(data.SubsetRandomSampler([3, 5])) == [3, 5]
    assert set(data.WeightedRandomSampler([0.0, 1.0, 0.0], 5)) == {1}
    assert list(data.BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(data.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    for make in (lambda: data.RandomSampler([]), lambda: data.BatchSampler([1], 0, False),
                 lambda: data.WeightedRandomSampler([[1.0]], 1)):
        with pytest.raises(ValueError):
            make()


def test_distributed_sampler():
    def parts(**settings):
        return [list(data.DistributedSampler(range(10), 3, rank, seed=1, **settings)) for rank in range(3)]

    assert parts(shuffle=False) == [[0, 3, 6, 9], [1, 4, 7, 0], [2, 5, 8, 1]]
    assert sorted(sum(parts(drop_last=True), [])) == sorted(set(sum(parts(drop_last=True), []))) and len(parts()[0]) == 4
    sampler = data.DistributedSampler(range(10), 2, 0)
    before = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != before
    with pytest.raises(ValueError):
        data.DistributedSampler(range(4), 2, 2)


def test_datasets():
    x = torch.arange(6).reshape(3, 2)
    pairs = data.TensorDataset(x, x * 2)
    assert pairs[1][1].tolist() == [4, 6] and len(pairs) == 3
    both = pairs + pairs
    assert len(both) == 6 and both[4][0].tolist() == [2, 3] and both[-1][0].tolist() == [4, 5]
    stacked = data.StackDataset(a=range(3), b=[5, 6, 7])
    assert stacked[1] == {"a": 1, "b": 6} and stacked.__getitems__([0, 2])[1] == {"a": 2, "b": 7}
    assert list(data.Subset(range(10), [2, 4])) == [2, 4]
    assert list(data.ChainDataset([Stream(2), Stream(3)])) == [0, 1, 0, 1, 2]
    parts = data.random_split(range(10), [0.25, 0.75], generator=torch.Generator().manual_seed(0))
    assert [len(part) for part in parts] == [3, 7] and sorted([*parts[0], *parts[1]]) == list(range(10))
    with pytest.raises(ValueError):
        data.random_split(range(10), [3, 3])
    with pytest.raises(AssertionError):
        data.TensorDataset(x, x[:2])


def test_collate():
    Pair = collections.namedtuple("Pair", "a b")
    made = data.default_collate([Pair(1, "x"), Pair(2, "y")])
    assert type(made) is Pair and made.a.tolist() == [1, 2] and list(made.b) == ["x", "y"]
    assert data.default_collate([[1, 2], [3, 4]])[0].tolist() == [1, 3]
    with pytest.raises(RuntimeError, match="equal size"):
        data.default_collate([[1], [1, 2]])
    with pytest.raises(TypeError, match="default_collate"):
        data.default_collate([object()])
    numpy = pytest.importorskip("numpy")
    assert data.default_collate([numpy.ones(2), numpy.zeros(2)]).shape == (2, 2)
    assert data.default_collate([numpy.float32(1.5)]).dtype == torch.float32
    assert isinstance(data.default_convert({"a": numpy.ones(2)})["a"], torch.Tensor)


FROZEN_PASSES = [[[6, 7, 1, 4, 2], [0, 9, 8, 3, 5]], [[2, 4, 7, 0, 8], [9, 5, 3, 6, 1]]]
FROZEN_NEXT = 0.455627977848053
