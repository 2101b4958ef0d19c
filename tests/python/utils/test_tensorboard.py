"""Event files: the record format, and what the summaries hold."""
import struct
import zlib

import pytest

import hearth as torch
from hearth.utils.tensorboard import SummaryWriter
from hearth.utils.tensorboard.records import crc32c, png


def varint(body, at):
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(body):
    """A protobuf message as {field: [values]}."""
    found, at = {}, 0
    while at < len(body):
        key, at = varint(body, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(body, at)
        elif kind == 2:
            length, at = varint(body, at)
            value, at = body[at : at + length], at + length
        else:
            size = 8 if kind == 1 else 4
            value, at = struct.unpack("<d" if kind == 1 else "<f", body[at : at + size])[0], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def events(folder):
    (path,) = folder.glob("events.out.tfevents.*")
    raw, at, found = path.read_bytes(), 0, []
    while at < len(raw):
        (length,) = struct.unpack("<Q", raw[at : at + 8])
        for begin, size in ((at, 8), (at + 12, length)):
            value = crc32c(raw[begin : begin + size])
            masked = (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF
            assert struct.unpack("<I", raw[begin + size : begin + size + 4])[0] == masked
        found.append(fields(raw[at + 12 : at + 12 + length]))
        at += length + 16
    return found


def test_checksum():
    assert crc32c(b"123456789") == 0xE3069283


def test_what_is_written(tmp_path):
    with SummaryWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", torch.tensor(0.5), 7)
        writer.add_text("note", "hello")
        writer.add_histogram("w", torch.tensor([-1.0, 0.0, 2.0, 2.0]), 1)
        writer.add_image("p", torch.zeros(3, 2, 4), 2)
    head, scalar, text, histogram, image = events(tmp_path / "run")
    assert head[3] == [b"brain.Event:2"]
    value = fields(fields(scalar[5][0])[1][0])
    assert scalar[2] == [7] and value[1] == [b"loss"] and value[2] == [0.5]
    assert b"hello" in text[5][0] and b"text" in text[5][0]
    bins = fields(fields(fields(histogram[5][0])[1][0])[5][0])
    assert (bins[1], bins[2], bins[3], bins[4], bins[5]) == ([-1.0], [2.0], [4.0], [3.0], [9.0])
    counts = struct.unpack(f"<{len(bins[7][0]) // 8}d", bins[7][0])
    assert sum(counts) == 4 and len(bins[6][0]) == len(bins[7][0])
    picture = fields(fields(fields(image[5][0])[1][0])[4][0])
    assert (picture[1], picture[2], picture[3]) == ([2], [4], [3]) and picture[4][0][:4] == b"\x89PNG"


def test_scalars_share_a_chart(tmp_path):
    with SummaryWriter(tmp_path / "run") as writer:
        writer.add_scalars("loss", {"train": 1.0, "test": 2.0}, 0)
    assert len(events(tmp_path / "run" / "loss_train")) == 2


def test_png():
    raw = png([bytes([1, 2, 3] * 2)] * 2, 3)
    begin = raw.index(b"IDAT") + 4
    length = struct.unpack(">I", raw[begin - 8 : begin - 4])[0]
    assert zlib.decompress(raw[begin : begin + length]) == (b"\0" + bytes([1, 2, 3] * 2)) * 2


def test_what_is_not_there_fails_by_name(tmp_path):
    with SummaryWriter(tmp_path) as writer, pytest.raises(NotImplementedError, match="add_graph"):
        writer.add_graph(None)
