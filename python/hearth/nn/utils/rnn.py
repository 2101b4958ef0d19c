"""Sequences of different lengths: padded, packed without padding, and back."""

from collections import namedtuple

import hearth

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pad_packed_sequence", "pad_sequence",
    "unpad_sequence", "pack_sequence", "unpack_sequence",
]  # fmt: skip

_Fields = namedtuple("PackedSequence", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"])


class PackedSequence(_Fields):
    """A batch of sequences stored step by step: `data` [sum of lengths, ...], `batch_sizes` [longest] on the CPU.

    `sorted_indices` is the order, by falling length, in which the batch is stored; `unsorted_indices` undoes it.
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a tuple or list of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. "
                "They should be instantiated by functions like pack_sequence and pack_padded_sequence in nn.utils.rnn."
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def pin_memory(self):
        """A copy in pinned memory."""
        return type(self)(
            self.data.pin_memory(),
            self.batch_sizes,
            None if self.sorted_indices is None else self.sorted_indices.pin_memory(),
            None if self.unsorted_indices is None else self.unsorted_indices.pin_memory(),
        )

    def to(self, *args, **kwargs):
        """This sequence with its data converted as Tensor.to does; itself when nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        indices = [None if i is None else i.to(data.device) for i in (self.sorted_indices, self.unsorted_indices)]
        return type(self)(data, self.batch_sizes, *indices)

    def cuda(self, *args, **kwargs):
        """A copy on a GPU."""
        return self.to(*args, device="cuda", **kwargs)

    def cpu(self, *args, **kwargs):
        """A copy on the CPU."""
        return self.to(*args, device="cpu", **kwargs)

    def double(self):
        """A copy in float64."""
        return self.to(dtype=hearth.double)

    def float(self):
        """A copy in float32."""
        return self.to(dtype=hearth.float)

    def half(self):
        """A copy in float16."""
        return self.to(dtype=hearth.half)

    def long(self):
        """A copy in int64."""
        return self.to(dtype=hearth.long)

    def int(self):
        """A copy in int32."""
        return self.to(dtype=hearth.int)

    def short(self):
        """A copy in int16."""
        return self.to(dtype=hearth.short)

    def char(self):
        """A copy in int8."""
        return self.to(dtype=hearth.int8)

    def byte(self):
        """A copy in uint8."""
        return self.to(dtype=hearth.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether the data is in pinned memory."""
        return self.data.is_pinned()


def invert_permutation(permutation):
    """The permutation [n] that undoes `permutation`; None stays None."""
    if permutation is None:
        return None
    output = hearth.empty_like(permutation, memory_format=hearth.contiguous_format)
    output.scatter_(0, permutation, hearth.arange(0, permutation.numel(), device=permutation.device))
    return output


def pack_padded_sequence(input, lengths, batch_first: bool = False, enforce_sorted: bool = True):
    """Pack a padded batch [T, B, ...] (or [B, T, ...]) of sequences of these `lengths` [B], int64 on the CPU.

    Unless `enforce_sorted` is False the lengths must fall. Raises RuntimeError, ValueError.
    """
    if not isinstance(lengths, hearth.Tensor):
        lengths = hearth.as_tensor(lengths, dtype=hearth.int64, device="cpu")
    else:
        lengths = lengths.to(dtype=hearth.int64)
    sorted_indices = None
    if not enforce_sorted:
        lengths, sorted_indices = hearth.sort(lengths, descending=True)
        sorted_indices = sorted_indices.to(input.device)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    if batch_first:
        input = input.transpose(0, 1)
    data, batch_sizes = _pack(input, lengths)
    return PackedSequence(data, batch_sizes, sorted_indices, None)


def _pack(input, lengths):
    if lengths.dim() != 1:
        raise RuntimeError("Expected 1D tensor for `lengths`")
    sizes = lengths.tolist()
    if len(sizes) != input.size(1):
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} (batch_size={input.size(1)})"
        )
    if not sizes or sizes[-1] <= 0:
        raise RuntimeError("Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0")
    if any(a < b for a, b in zip(sizes, sizes[1:])):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do "
            "not need ONNX exportability."
        )
    steps, batch_sizes, done = [], [], 0
    # Sequences end from the back of the batch; between two ends the batch is a rectangle.
    for count in range(len(sizes), 0, -1):
        length = sizes[count - 1]
        if length > done:
            steps.append(input[done:length, :count].reshape(-1, *input.shape[2:]))
            batch_sizes += [count] * (length - done)
            done = length
    return hearth.cat(steps), hearth.tensor(batch_sizes, dtype=hearth.int64)


def pad_packed_sequence(sequence, batch_first: bool = False, padding_value: float = 0.0, total_length=None):
    """(padded [T, B, ...] or [B, T, ...], lengths [B]): what pack_padded_sequence was given.

    T is the longest length, or `total_length`. Raises ValueError when that is shorter.
    """
    sizes = sequence.batch_sizes.tolist()
    longest = len(sizes)
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {longest}"
            )
        longest = total_length
    data = sequence.data
    pieces, offset = [], 0
    for size in sizes:
        step = data[offset : offset + size]
        offset += size
        if size < sizes[0]:
            step = hearth.cat([step, data.new_full((sizes[0] - size, *data.shape[1:]), padding_value)])
        pieces.append(step)
    if longest > len(sizes):
        rest = data.new_full((sizes[0], *data.shape[1:]), padding_value)
        pieces += [rest] * (longest - len(sizes))
    padded = hearth.stack(pieces)
    lengths = hearth.tensor([sum(s > b for s in sizes) for b in range(sizes[0])], dtype=hearth.int64)
    if batch_first:
        padded = padded.transpose(0, 1)
    if sequence.unsorted_indices is not None:
        batch_dim = 0 if batch_first else 1
        padded = padded.index_select(batch_dim, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices.cpu()]
    return padded, lengths


def pad_sequence(sequences, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"):
    """One tensor [T, B, ...] (or [B, T, ...]) of sequences [L, ...], padded to the longest on the right or left."""
    if isinstance(sequences, hearth.Tensor):
        sequences = sequences.unbind(0)
    elif not hasattr(sequences, "__iter__"):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: " + str(type(sequences))
        )
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    longest = max(s.size(0) for s in sequences)
    trailing = sequences[0].shape[1:]
    padded = []
    for s in sequences:
        if s.size(0) < longest:
            fill = sequences[0].new_full((longest - s.size(0), *trailing), padding_value)
            s = hearth.cat([s, fill] if padding_side == "right" else [fill, s])
        padded.append(s)
    return hearth.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences, lengths, batch_first: bool = False):
    """The list of sequences of these `lengths` inside a padded batch: the inverse of pad_sequence."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [seq[: int(length)] for seq, length in zip(padded_sequences, lengths)]


def pack_sequence(sequences, enforce_sorted: bool = True):
    """Pack a list of sequences [L, ...]."""
    lengths = hearth.as_tensor([v.size(0) for v in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The list of sequences that were packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
