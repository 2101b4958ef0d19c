"""Starts and stops `hearth serve` for a test run: a free port, a data folder of its own, the bundled model."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The name that clients use; with the repository's root as working directory it is also a tokenizer folder for them.
MODEL = "models/stories-2m"


def command():
    return os.environ.get("HEARTH_COMMAND", str(ROOT / "build" / "hearth"))


class Server:
    """One `hearth serve` process; `stop`, `kill` and `start` again keep its data folder and its port."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="hearth-sdk-")
        self.options = [str(option) for option in options]
        self.log = pathlib.Path(self.folder.name) / "server.log"
        self.port = 0
        self.process = None

    @property
    def data(self):
        return pathlib.Path(self.folder.name) / "data"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, seconds=60):
        begin = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [command(), "serve", "--model", f"{MODEL}={ROOT / MODEL}", "--data", str(self.data),
                 "--bind", f"127.0.0.1:{self.port}", *self.options], stdout=log, stderr=log, cwd=ROOT)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            text = self.log.read_text(errors="replace")[begin:]
            found = re.search(r"https?://127\.0\.0\.1:([1-9]\d*)", text)
            if found:
                self.port = int(found[1])
                return self
            if self.process.poll() is not None:
                raise RuntimeError(f"hearth serve ended with status {self.process.returncode}:\n{text}")
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"hearth serve named no address within {seconds} s:\n{text}")

    def stop(self, seconds=60):
        """Ends the server as an operator does (SIGTERM) and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        self.folder.cleanup()
