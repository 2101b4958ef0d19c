"""The data loader: batches of a dataset, in this process or from worker processes that work ahead."""
import itertools
import time
import warnings

import hearth

from ._utils import fetch, worker
from ._utils.collate import default_collate, default_convert
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]
get_worker_info = worker.get_worker_info
_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class _InfiniteConstantSampler(Sampler):
    """None for ever: what an iterable dataset is asked for."""

    def __iter__(self):
        return itertools.repeat(None)


class DataLoader:
    """Iterates over a dataset in batches.

    Every pass (with persistent workers, the first) draws one 64-bit number (the base seed of the workers) and, when shuffling without a generator, a second
    one (the seed of the order) from the default generator, as PyTorch does. Worker i seeds itself with base seed + i.
    `pin_memory` has no effect without an accelerator, as in PyTorch.

    Example: `for x, y in DataLoader(TensorDataset(a, b), batch_size=32, shuffle=True): ...`
    """

    _initialized = False
    _iterator = None

    def __init__(self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0,
                 collate_fn=None, pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None,
                 multiprocessing_context=None, generator=None, *, prefetch_factor=None, persistent_workers=False,
                 pin_memory_device="", in_order=True):
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        self.dataset, self.num_workers, self.prefetch_factor = dataset, num_workers, prefetch_factor
        self.pin_memory, self.pin_memory_device, self.timeout = pin_memory, pin_memory_device, timeout
        self.worker_init_fn, self.in_order = worker_init_fn, in_order
        self.multiprocessing_context = multiprocessing_context
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            _check_iterable(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                                 "drop_last")
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._iterable:
                sampler = _InfiniteConstantSampler()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.drop_last, self.sampler, self.batch_sampler = batch_size, drop_last, sampler, batch_sampler
        self.generator = generator
        self.collate_fn = collate_fn or (default_collate if self._auto_collation else default_convert)
        self.persistent_workers = persistent_workers
        self._initialized = True

    def __setattr__(self, name, value):
        if self._initialized and name in _FIXED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self):
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context):
        from multiprocessing import context as kinds, get_all_start_methods, get_context

        if context is not None and self.num_workers == 0:
            raise ValueError("multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
                             f"but got num_workers={self.num_workers}")
        if isinstance(context, str):
            if context not in get_all_start_methods():
                raise ValueError("multiprocessing_context option should specify a valid start method in "
                                 f"{get_all_start_methods()!r}, but got multiprocessing_context={context!r}")
            context = get_context(context)
        if context is not None and not isinstance(context, kinds.BaseContext):
            raise TypeError("multiprocessing_context option should be a valid context object or a string specifying "
                            f"the start method, but got multiprocessing_context={context}")
        self._context = context

    @property
    def _auto_collation(self):
        return self.batch_sampler is not None

    @property
    def _index_sampler(self):
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self):
        if self.num_workers == 0:
            return _SingleProcessIterator(self)
        if not self.persistent_workers:
            return _WorkersIterator(self)
        if self._iterator is None:
            self._iterator = _WorkersIterator(self)
        else:
            self._iterator.restart()
        return self._iterator

    def __len__(self):
        if not self._iterable:
            return len(self._index_sampler)
        length = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def __getstate__(self):
        return {**self.__dict__, "_iterator": None}


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers):
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError("prefetch_factor option could only be specified in multiprocessing."
                         "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None.")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_iterable(shuffle, sampler, batch_sampler):
    for name, value in (("shuffle", shuffle), ("sampler", sampler), ("batch_sampler", batch_sampler)):
        if value is not None and value is not False:
            raise ValueError(f"DataLoader with IterableDataset: expected unspecified {name} option, "
                             f"but got {name}={value}")


def _base_seed(loader):
    return hearth.empty((), dtype=hearth.int64).random_(generator=loader.generator).item()


class _Iterator:
    """One pass over the data; counts what an iterable dataset gives against what it promised."""

    def __init__(self, loader):
        self._loader, self._given = loader, 0
        self._keys = iter(loader._index_sampler)
        self._seed = _base_seed(loader)

    def __iter__(self):
        return self

    def __len__(self):
        return len(self._loader._index_sampler)

    def _count(self):
        self._given += 1
        loader = self._loader
        if loader._iterable and loader.num_workers == 0 and hasattr(loader.dataset, "__len__"):
            if self._given > len(loader):
                warnings.warn(f"Length of IterableDataset {loader.dataset} was reported to be {len(loader)}, "
                              f"but {self._given} samples have been fetched.")


class _SingleProcessIterator(_Iterator):
    """Fetches in this process, when asked."""

    def __init__(self, loader):
        super().__init__(loader)
        self._fetcher = fetch.create(loader._iterable, loader.dataset, loader._auto_collation, loader.collate_fn,
                                     loader.drop_last)

    def __next__(self):
        batch = self._fetcher.fetch(next(self._keys))
        self._count()
        return batch


class _WorkersIterator(_Iterator):
    """Hands keys to worker processes in turn, `prefetch_factor` batches ahead for each, and keeps the order."""

    def __init__(self, loader):
        super().__init__(loader)
        import multiprocessing as mp

        context = loader.multiprocessing_context or mp.get_context()
        self._results, self._stopped = context.Queue(), context.Event()
        self._queues, self._workers = [], []
        setup = {
            "dataset": loader.dataset,
            "auto": loader._auto_collation,
            "collate_fn": loader.collate_fn,
            "drop_last": loader.drop_last,
            "base_seed": self._seed,
            "worker_init_fn": loader.worker_init_fn,
            "iterable": loader._iterable,
            "num_workers": loader.num_workers,
        }
        for number in range(loader.num_workers):
            tasks = context.Queue()
            arguments = (setup, number, tasks, self._results, self._stopped)
            process = context.Process(target=worker.run, args=arguments, daemon=True)
            process.start()
            self._queues.append(tasks)
            self._workers.append(process)
        self._begin()

    def _begin(self):
        self._sent = self._next = 0
        self._arrived, self._asked = {}, {}  # batch number -> answer; batch number -> worker
        self._busy = set(range(len(self._workers)))
        self._turn = 0
        for _ in range(max(1, self._loader.prefetch_factor) * len(self._workers)):
            self._ask()

    def restart(self):
        """The next pass of persistent workers."""
        self._given = 0
        while self._asked:  # what is left of a pass that was broken off
            self._receive()
        self._keys = iter(self._loader._index_sampler)
        for tasks in self._queues:
            tasks.put(worker.Resume())
        waiting = len(self._queues)
        while waiting:
            place, _, _ = self._take()
            waiting -= isinstance(place, worker.Resume)
        self._begin()

    def _ask(self):
        """Gives the next keys to the next worker that still has data."""
        if not self._busy:
            return
        try:
            keys = next(self._keys)
        except StopIteration:
            return
        while self._turn not in self._busy:
            self._turn = (self._turn + 1) % len(self._workers)
        self._queues[self._turn].put((self._sent, keys))
        self._asked[self._sent] = self._turn
        self._turn = (self._turn + 1) % len(self._workers)
        self._sent += 1

    def _take(self):
        """The next message of any worker; RuntimeError when one has died or the time is up."""
        from multiprocessing import connection

        from hearth import multiprocessing

        limit = self._loader.timeout or None
        pipe = self._results._reader
        ready = connection.wait([pipe, *(process.sentinel for process in self._workers)], limit)
        if pipe in ready:
            return multiprocessing.loads(self._results.get())
        dead = [str(process.pid) for process in self._workers if process.sentinel in ready]
        self.close(kill=True)
        if dead:
            raise RuntimeError(f"DataLoader worker (pid(s) {', '.join(dead)}) exited unexpectedly")
        raise RuntimeError(f"DataLoader timed out after {limit} seconds")

    def _receive(self):
        place, answer, number = self._take()
        asked = self._asked.pop(place, None)
        if worker.is_end(answer):
            self._busy.discard(number)
            for waiting in [key for key, owner in self._asked.items() if owner == number]:
                del self._asked[waiting]
                self._arrived[waiting] = answer
        if asked is not None:
            self._arrived[place] = answer
        return place

    def _ready(self):
        """The number of the batch to give next; None after the last."""
        if self._loader.in_order:
            if self._next == self._sent:
                return None
            self._next += 1
            while self._next - 1 not in self._arrived:
                self._receive()
            return self._next - 1
        while not self._arrived:
            if not self._asked:
                return None
            self._receive()
        return next(iter(self._arrived))

    def __next__(self):
        while (place := self._ready()) is not None:
            answer = self._arrived.pop(place)
            self._ask()
            if worker.is_end(answer):
                continue
            if isinstance(answer, worker.Failure):
                if not self._loader.persistent_workers:
                    self.close()
                answer.reraise()
            self._count()
            return answer
        if not self._loader.persistent_workers:
            self.close()
        raise StopIteration

    def close(self, kill=False):
        """Ends the workers, at once or after the batch in hand; safe to call again."""
        workers, self._workers = self._workers, []
        if not workers:
            return
        self._sent = self._next = 0
        self._arrived, self._asked = {}, {}
        self._stopped.set()
        for tasks in self._queues:
            tasks.put(None)
        deadline = time.monotonic() + (0 if kill else worker.STATUS_INTERVAL)
        while time.monotonic() < deadline and any(process.is_alive() for process in workers):
            if self._results._reader.poll(0.01):  # a worker whose batch nobody takes would wait for ever
                self._results.get()
        for process in workers:
            if process.is_alive():
                process.kill()
            process.join(worker.STATUS_INTERVAL)
        for tasks in (*self._queues, self._results):
            tasks.cancel_join_thread()
            tasks.close()
        from hearth import multiprocessing

        multiprocessing.forget_blocks(process.pid for process in workers)

    def __del__(self):
        try:
            self.close()
        except Exception:  # the interpreter may be on its way out; daemon processes end with it
            pass
