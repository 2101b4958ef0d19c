"""Event files by hand: protobuf fields, and the record format with its masked CRC-32C."""
import struct

_POLYNOMIAL = 0x82F63B78  # CRC-32C (Castagnoli), reflected


def _make_table():
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _make_table()


def crc32c(body: bytes) -> int:
    """The CRC-32C of these bytes: 0xE3069283 for b"123456789"."""
    value = 0xFFFFFFFF
    for byte in body:
        value = (value >> 8) ^ _TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def _masked(body):
    value = crc32c(body)
    return struct.pack("<I", (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def record(body: bytes) -> bytes:
    """One record: length, its checksum, the bytes, their checksum."""
    length = struct.pack("<Q", len(body))
    return length + _masked(length) + body + _masked(body)


def varint(value: int) -> bytes:
    """A protobuf varint; negative numbers take ten bytes."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """An integer field."""
    return varint(field << 3) + varint(int(value))


def double(field: int, value: float) -> bytes:
    """A double field."""
    return varint(field << 3 | 1) + struct.pack("<d", value)


def single(field: int, value: float) -> bytes:
    """A float field."""
    return varint(field << 3 | 5) + struct.pack("<f", value)


def blob(field: int, value) -> bytes:
    """A string, bytes or message field."""
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def doubles(field: int, values) -> bytes:
    """A packed field of doubles."""
    return blob(field, struct.pack(f"<{len(values)}d", *values))


# -- the messages of TensorBoard; field numbers as in its event.proto and summary.proto --


def event(wall_time: float, step=None, summary=None, version=None) -> bytes:
    """An Event: when, which step, and a summary or the file's version."""
    body = double(1, wall_time)
    if step is not None:
        body += number(2, step)
    if version is not None:
        body += blob(3, version)
    return body + (blob(5, summary) if summary is not None else b"")


def scalar(tag: str, value: float) -> bytes:
    """A summary of one number."""
    return blob(1, blob(1, tag) + single(2, value))


def histogram(tag: str, values, limits, counts) -> bytes:
    """A summary of a distribution: `counts[i]` values up to `limits[i]`."""
    body = double(1, min(values)) + double(2, max(values)) + double(3, len(values)) + double(4, sum(values))
    body += double(5, sum(v * v for v in values)) + doubles(6, limits) + doubles(7, counts)
    return blob(1, blob(1, tag) + blob(5, body))


def text(tag: str, value: str) -> bytes:
    """A summary of one text, for the text plugin."""
    tensor = number(1, 7) + blob(2, blob(2, number(1, 1))) + blob(8, value)
    metadata = blob(1, blob(1, "text"))
    return blob(1, blob(1, tag + "/text_summary") + blob(8, tensor) + blob(9, metadata))


def image(tag: str, height: int, width: int, channels: int, png: bytes) -> bytes:
    """A summary of one picture."""
    body = number(1, height) + number(2, width) + number(3, channels) + blob(4, png)
    return blob(1, blob(1, tag) + blob(4, body))


def png(rows, channels: int) -> bytes:
    """A PNG file of 8-bit rows: bytes of `width * channels` each; 1 grey, 3 RGB, 4 RGBA."""
    import zlib

    kind = {1: 0, 3: 2, 4: 6}[channels]

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", len(rows[0]) // channels, len(rows), 8, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
