"""A DataLoader's worker process: takes keys from its queue, sends batches back, ends when its parent does."""
import os
import queue
import random
import signal
import sys
import traceback

import hearth

from . import fetch

STATUS_INTERVAL = 5.0  # seconds between looks at whether the parent still lives
_info = None


class WorkerInfo:
    """Which worker this is: `id`, `num_workers`, `seed`, `dataset` (this worker's copy)."""

    def __init__(self, **fields):
        self.__dict__.update(fields)
        self.__dict__["_fields"] = tuple(fields)

    def __setattr__(self, name, value):
        raise RuntimeError(f"Cannot assign attributes to {type(self).__name__} objects")

    def __repr__(self):
        return f"WorkerInfo({', '.join(f'{name}={getattr(self, name)}' for name in self._fields)})"


def get_worker_info():
    """The WorkerInfo of this worker process; None in the main process."""
    return _info


class Failure:
    """An exception on its way to the main process: its class, and its traceback as text."""

    def __init__(self, where):
        kind, error, _ = sys.exc_info()
        self.kind, self.where, self.text = kind, where, traceback.format_exc()
        self.key = error.args[0] if isinstance(error, KeyError) and error.args else None

    def reraise(self):
        """Raises the same class of exception, with the worker's traceback in its message."""
        message = f"Caught {self.kind.__name__} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            raise KeyError(_KeyMessage(message))
        try:
            error = self.kind(message)
        except Exception:  # a class that wants other arguments
            raise RuntimeError(message) from None
        raise error


class _KeyMessage(str):
    """KeyError prints the repr of its argument; this one keeps the line breaks."""

    def __repr__(self):
        return str(self)


class Resume:
    """Tells a persistent worker that another pass begins; the worker answers with the same."""


def _seed_all(base_seed, number):
    seed = base_seed + number
    random.seed(seed)
    hearth.manual_seed(seed)
    if "numpy" in sys.modules:
        numpy = sys.modules["numpy"]
        words = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
        numpy.random.seed(numpy.random.SeedSequence(words).generate_state(4))
    return seed


def run(setup, number, keys, results, stopped):
    """The worker's life. `setup` is a dict of the loader's settings; `keys` a queue of (batch number, keys) or None."""
    global _info
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process ends the workers after Ctrl-C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    hearth.set_num_threads(1)
    seed = _seed_all(setup["base_seed"], number)
    dataset = setup["dataset"]
    _info = WorkerInfo(id=number, num_workers=setup["num_workers"], seed=seed, dataset=dataset)
    where = f"in DataLoader worker process {number}"
    arguments = (dataset, setup["auto"], setup["collate_fn"], setup["drop_last"])
    failure = fetcher = None
    try:
        if setup["worker_init_fn"] is not None:
            setup["worker_init_fn"](number)
        fetcher = fetch.create(setup["iterable"], *arguments)
    except Exception:
        failure = Failure(where)
    parent, ended = os.getppid(), False
    while True:
        try:
            task = keys.get(timeout=STATUS_INTERVAL)
        except queue.Empty:
            if os.getppid() != parent:
                return
            continue
        if task is None or stopped.is_set():
            break
        if isinstance(task, Resume):
            _send(results, task, None, number)
            ended = False
            try:
                fetcher = fetch.create(setup["iterable"], *arguments)
            except Exception:
                failure = Failure(where)
            continue
        if ended:
            continue
        place, batch_keys = task
        answer, failure = failure or _fetch(fetcher, batch_keys, where), None
        ended = isinstance(answer, _Ended)
        _send(results, place, answer, number)
    results.cancel_join_thread() if hasattr(results, "cancel_join_thread") else None


class _Ended:
    """An iterable dataset has no more items in this worker."""


def _fetch(fetcher, keys, where):
    try:
        return fetcher.fetch(keys)
    except StopIteration:
        return _Ended() if isinstance(fetcher, fetch.IterableFetcher) else Failure(where)
    except Exception:
        return Failure(where)


def _send(results, place, answer, number):
    """Pickles here, where an error can still be told, and sends the bytes."""
    from hearth import multiprocessing

    try:
        body = multiprocessing.dumps((place, answer, number))
    except Exception:
        if isinstance(answer, Failure):  # its class cannot travel: its name and traceback do
            answer.kind, answer.key = RuntimeError, None
        else:
            answer = Failure(f"in DataLoader worker process {number}")
        body = multiprocessing.dumps((place, answer, number))
    results.put(body)


def is_end(answer):
    """Whether an answer says that a worker's iterable dataset is used up."""
    return isinstance(answer, _Ended)
