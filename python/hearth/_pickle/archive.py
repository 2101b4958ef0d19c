"""PyTorch's zip container: stored records at 64-byte boundaries. Reading trusts no length that the file states."""
import io
import os
import struct
import zipfile
import zlib

ALIGNMENT = 64


class ArchiveReader:
    """The records of one file; `source` is a seekable binary file. Errors are RuntimeError with what is wrong."""

    def __init__(self, source, label):
        self.label = label
        try:
            self._zip = zipfile.ZipFile(source)
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error, EOFError) as error:
            raise RuntimeError(f"load: {label} is no checkpoint: its zip directory is damaged ({error})") from None
        self._source = self._zip.fp
        self._source.seek(0, io.SEEK_END)
        self._length = self._source.tell()
        self._entries = {entry.filename: entry for entry in entries}
        self._check(entries)
        picklings = [name for name in self._entries if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(picklings) != 1:
            self._fail("it holds no data.pkl (a TorchScript or another archive?)")
        self.prefix = picklings[0][: -len("data.pkl")]
        if self.prefix + "constants.pkl" in self._entries:
            self._fail("it is a TorchScript archive; save a state dict instead")

    def _fail(self, what):
        raise RuntimeError(f"load: {self.label} is refused: {what}")

    def _check(self, entries):
        if len(self._entries) != len(entries):
            self._fail("two records have one name")
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 0x1:
                self._fail(f"the record {entry.filename} is compressed or encrypted")
            if entry.file_size != entry.compress_size:
                self._fail(f"the record {entry.filename} states two sizes")
        if sum(entry.file_size for entry in entries) > self._length:
            self._fail("its records overlap")

    def has(self, name):
        return self.prefix + name in self._entries

    def size(self, name):
        entry = self._entries.get(self.prefix + name)
        if entry is None:
            self._fail(f"the record {name} is missing")
        return entry.file_size

    def offset(self, name):
        """Where the record's bytes begin in the file."""
        size, entry = self.size(name), self._entries[self.prefix + name]
        if entry.header_offset < 0:
            self._fail(f"the record {name} begins before the file")
        self._source.seek(entry.header_offset)
        header = self._source.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            self._fail(f"the record {name} has no header")
        start = entry.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))
        if start + size > self._length:
            self._fail(f"the record {name} ends behind the file")
        return start

    def read_into(self, name, target):
        """Fills `target` (a writable byte buffer of the record's size) and checks its CRC-32."""
        self._source.seek(self.offset(name))
        view, done, crc = memoryview(target).cast("B"), 0, 0
        while done < len(view):
            count = self._source.readinto(view[done : done + (1 << 22)])
            if not count:
                self._fail(f"the record {name} is cut off")
            crc = zlib.crc32(view[done : done + count], crc)
            done += count
        if crc != self._entries[self.prefix + name].CRC:
            self._fail(f"the record {name} does not match its checksum")

    def read(self, name):
        body = bytearray(self.size(name))
        self.read_into(name, body)
        return bytes(body)


class ArchiveWriter:
    """Writes records one after the other; `target` is a binary file or a path, `prefix` the folder inside."""

    def __init__(self, target, prefix):
        self._zip = zipfile.ZipFile(_Counted(target) if hasattr(target, "write") else target, "w", zipfile.ZIP_STORED)
        self._prefix = prefix

    def write(self, name, body):
        """One record: `body` is a bytes-like object; its first byte lands on a multiple of 64."""
        view = memoryview(body).cast("B") if len(body) else b""
        entry = zipfile.ZipInfo(f"{self._prefix}/{name}")
        entry.file_size = len(view)
        big = len(view) >= (1 << 31)
        start = self._zip.fp.tell() + 30 + len(entry.filename.encode()) + (20 if big else 0)
        padding = -(start + 4) % ALIGNMENT
        entry.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
        with self._zip.open(entry, "w", force_zip64=big) as record:
            for begin in range(0, len(view), 1 << 24):
                record.write(view[begin : begin + (1 << 24)])
        entry.extra = b""

    def close(self):
        self._zip.close()


class _Counted(io.RawIOBase):
    """A file object that may know only `write`: counts where it is, so that records can be aligned."""

    def __init__(self, target):
        self._target, self._at = target, 0

    def writable(self):
        return True

    def write(self, body):
        self._target.write(body if isinstance(body, (bytes, bytearray)) else bytes(body))
        self._at += len(body)
        return len(body)

    def tell(self):
        return self._at

    def seekable(self):
        return False

    def flush(self):
        if hasattr(self._target, "flush"):
            self._target.flush()


def archive_name(target):
    """The folder inside the archive: the file's stem, or "archive" for a file object."""
    if isinstance(target, (str, os.PathLike)):
        stem = os.path.splitext(os.path.basename(os.fspath(target)))[0]
        return stem.encode("ascii", "replace").decode() or "archive"
    return "archive"
