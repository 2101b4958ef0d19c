"""Anomaly mode: backward stops at the first NaN and says which op of the forward it belongs to."""
from .. import _C

_depth = 0


def _set(enabled):
    global _depth
    _depth += 1 if enabled else -1
    _C._set_anomaly_mode(_depth > 0)


class detect_anomaly:
    """A block in which ops remember where they were called and backward refuses NaN."""

    def __init__(self, check_nan=True):
        self.check_nan = check_nan
        if check_nan:
            from warnings import warn

            warn("Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
                 "debugging.", stacklevel=2)

    def __enter__(self):
        _set(self.check_nan)

    def __exit__(self, *_):
        if self.check_nan:
            _set(False)


class set_detect_anomaly:
    """Switches anomaly mode, and back at the end when used as a block."""

    def __init__(self, mode, check_nan=True):
        global _depth
        self._before = _depth
        _depth = 1 if mode and check_nan else 0
        _C._set_anomaly_mode(_depth > 0)

    def __enter__(self):
        pass

    def __exit__(self, *_):
        global _depth
        _depth = self._before
        _C._set_anomaly_mode(_depth > 0)
