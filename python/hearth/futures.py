"""Futures: results that come later, from any thread."""
import threading


class Future:
    """A result to come. Example: `f = Future(); f.set_result(3); f.wait()` is 3."""

    def __init__(self, *, devices=None):
        self._done, self._lock = threading.Event(), threading.Lock()
        self._value = self._error = None
        self._callbacks = []

    def done(self) -> bool:
        return self._done.is_set()

    def wait(self):
        """The result, as soon as it is there; raises what set_exception was given."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def value(self):
        """The result, which must be there."""
        if not self.done():
            raise RuntimeError("Future.value: the future is not completed yet")
        return self.wait()

    def _finish(self, value, error):
        with self._lock:
            if self.done():
                raise RuntimeError("Future can only be marked completed once.")
            self._value, self._error = value, error
            self._done.set()
        for callback in self._callbacks:
            callback(self)

    def set_result(self, result) -> None:
        self._finish(result, None)

    def set_exception(self, result) -> None:
        if not isinstance(result, BaseException):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._finish(None, result)

    def add_done_callback(self, callback) -> None:
        """Calls `callback(self)` once the result is there."""
        with self._lock:
            if not self.done():
                self._callbacks.append(callback)
                return
        callback(self)

    def then(self, callback) -> "Future":
        """A future of `callback(self)`."""
        after = Future()

        def run(done):
            try:
                after.set_result(callback(done))
            except Exception as error:
                after.set_exception(error)

        self.add_done_callback(run)
        return after


def collect_all(futures) -> Future:
    """A future of the list, completed when all are."""
    result, left = Future(), [len(futures)]

    def one(_):
        left[0] -= 1
        if not left[0]:
            result.set_result(list(futures))

    if not futures:
        result.set_result([])
    for future in futures:
        future.add_done_callback(one)
    return result


def wait_all(futures) -> list:
    """The results of all."""
    return [future.wait() for future in collect_all(futures).wait()]
