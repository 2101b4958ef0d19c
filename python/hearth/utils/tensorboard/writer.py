"""SummaryWriter: numbers, distributions, texts and pictures of a training run, in an event file."""
import bisect
import os
import socket
import time

import hearth

from ..._once import not_here
from . import records


class FileWriter:
    """One event file in a folder."""

    _made = 0

    def __init__(self, log_dir, max_queue=10, flush_secs=120, filename_suffix=""):
        self._folder = str(log_dir)
        os.makedirs(self._folder, exist_ok=True)
        FileWriter._made += 1
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{FileWriter._made}"
        self._file = open(os.path.join(self._folder, name + filename_suffix), "ab")
        self._limit, self._waiting = max_queue, 0
        self._interval, self._flushed = flush_secs, time.time()
        self.add(records.event(time.time(), version="brain.Event:2"))
        self.flush()

    def get_logdir(self) -> str:
        return self._folder

    def add(self, event: bytes) -> None:
        """Writes one event; to the disk when enough wait or enough time has passed."""
        self._file.write(records.record(event))
        self._waiting += 1
        if self._waiting > self._limit or time.time() - self._flushed > self._interval:
            self.flush()

    def flush(self) -> None:
        self._file.flush()
        self._waiting, self._flushed = 0, time.time()

    def close(self) -> None:
        self._file.close()


def _limits():
    """The default bounds of histogram buckets: powers of 1.1, both signs."""
    ups, value = [], 1e-12
    while value < 1e20:
        ups.append(value)
        value *= 1.1
    return [-v for v in reversed(ups)] + [0.0] + ups + [1.7976931348623157e308]


class SummaryWriter:
    """Writes into `log_dir` (default: runs/DATE_HOST). Example: `writer.add_scalar("loss", 0.5, step)`."""

    def __init__(self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120, filename_suffix=""):
        if not log_dir:
            moment = time.strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{moment}_{socket.gethostname()}{comment}")
        if purge_step is not None:
            not_here("SummaryWriter(purge_step=...)", "write into another folder")
        self.log_dir = str(log_dir)
        self._settings = (max_queue, flush_secs, filename_suffix)
        self.file_writer = FileWriter(self.log_dir, *self._settings)
        self.all_writers = {self.log_dir: self.file_writer}
        self._bounds = None

    def get_logdir(self) -> str:
        return self.log_dir

    def _write(self, summary, step, wall_time, writer=None):
        step = None if step is None else int(step)
        event = records.event(time.time() if wall_time is None else wall_time, step, summary)
        (writer or self.file_writer).add(event)

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, new_style=False, double_precision=False):
        """One number at one step."""
        self._write(records.scalar(tag, _number(scalar_value)), global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        """Several numbers, each in a folder of its own beside this one, so that they share a chart."""
        for tag, value in tag_scalar_dict.items():
            folder = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            if folder not in self.all_writers:
                self.all_writers[folder] = FileWriter(folder, *self._settings)
            self._write(records.scalar(main_tag, _number(value)), global_step, walltime, self.all_writers[folder])

    def add_histogram(self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None):
        """The distribution of a tensor's values."""
        values = [float(v) for v in _tensor(values).reshape(-1).tolist()]
        if not values:
            raise ValueError("The input has no element.")
        if self._bounds is None:
            self._bounds = _limits()
        if bins != "tensorflow":
            not_here(f"add_histogram(bins={bins!r})", "leave the default")
        counts = [0.0] * len(self._bounds)
        for value in values:
            counts[min(bisect.bisect_left(self._bounds, value), len(counts) - 1)] += 1
        used = [place for place, count in enumerate(counts) if count]
        first, last = max(used[0] - 1, 0), used[-1] + 1
        summary = records.histogram(tag, values, self._bounds[first:last], counts[first:last])
        self._write(summary, global_step, walltime)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        """A text (Markdown)."""
        self._write(records.text(tag, str(text_string)), global_step, walltime)

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        """A picture: uint8, or floats in [0, 1], of 1, 3 or 4 channels."""
        picture = _tensor(img_tensor)
        if len(dataformats) != picture.dim() or set(dataformats) - set("CHW"):
            raise AssertionError(f"add_image: size {list(picture.shape)} and format {dataformats} are different")
        if "C" not in dataformats:
            picture, dataformats = picture.unsqueeze(0), "C" + dataformats
        picture = picture.permute(*[dataformats.index(letter) for letter in "HWC"])
        if picture.dtype != hearth.uint8:
            picture = (picture.to(hearth.float32).clamp(0, 1) * 255).to(hearth.uint8)
        height, width, channels = picture.shape
        if channels not in (1, 3, 4):
            raise ValueError(f"add_image: 1, 3 or 4 channels are needed: got {channels}")
        rows = [bytes(row) for row in picture.reshape(height, width * channels).tolist()]
        summary = records.image(tag, height, width, channels, records.png(rows, channels))
        self._write(summary, global_step, walltime)

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        """Several pictures side by side."""
        pictures = _tensor(img_tensor).permute(*[dataformats.index(letter) for letter in "NCHW"])
        self.add_image(tag, hearth.cat(list(pictures.unbind(0)), -1), global_step, walltime)

    def add_hparams(self, hparam_dict, metric_dict, hparam_domain_discrete=None, run_name=None, global_step=None):
        """The settings as a text, and the results as numbers."""
        table = "\n".join(["|setting|value|", "|---|---|", *(f"|{k}|{v}|" for k, v in hparam_dict.items())])
        self.add_text("hparams", table, global_step)
        for tag, value in metric_dict.items():
            self.add_scalar(tag, value, global_step)

    def add_graph(self, model, input_to_model=None, verbose=False, use_strict_trace=True):
        """Raises NotImplementedError: hearth captures no graphs."""
        not_here("SummaryWriter.add_graph")

    def __getattr__(self, name):
        if name.startswith("add_"):
            not_here(f"SummaryWriter.{name}")
        raise AttributeError(f"'SummaryWriter' object has no attribute '{name}'")

    def flush(self):
        """Writes what waits to the disk."""
        for writer in self.all_writers.values():
            writer.flush()

    def close(self):
        """Ends all files."""
        for writer in self.all_writers.values():
            writer.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def _number(value):
    return float(value.item() if hasattr(value, "item") else value)


def _tensor(value):
    return value.detach().cpu() if isinstance(value, hearth.Tensor) else hearth.as_tensor(value)
