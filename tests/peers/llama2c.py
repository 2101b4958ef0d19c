# Reads llama2.c files into transformers: the reference for stories260K.
"""Layout: 7 int32 (dim, hidden, layers, heads, kv heads, vocab, context), then float32 weights; interleaved pairs."""

import struct
from pathlib import Path

import numpy
import torch
from transformers import LlamaConfig, LlamaForCausalLM

BOS = 1


def layer_weights(dim: int, hidden: int, kv: int) -> list[tuple[str, tuple[int, ...]]]:
    """What a layer holds, in the file's order: each for all layers before the next."""
    return [
        ("input_layernorm", (dim,)),
        ("self_attn.q_proj", (dim, dim)),
        ("self_attn.k_proj", (kv, dim)),
        ("self_attn.v_proj", (kv, dim)),
        ("self_attn.o_proj", (dim, dim)),
        ("post_attention_layernorm", (dim,)),
        ("mlp.gate_proj", (hidden, dim)),
        ("mlp.down_proj", (dim, hidden)),
        ("mlp.up_proj", (hidden, dim)),
    ]


def load_model(path: Path) -> LlamaForCausalLM:
    """The legacy .bin with a tied output layer, as a transformers model in float32."""
    data = path.read_bytes()
    dim, hidden, layers, heads, kv_heads, vocab, context = struct.unpack("7i", data[:28])
    if vocab < 0:
        raise ValueError(f"{path}: output layer is not tied")
    numbers = numpy.frombuffer(data, numpy.float32, offset=28)
    head, kv, position = dim // heads, dim // heads * kv_heads, 0

    def take(*shape: int) -> torch.Tensor:
        nonlocal position
        count = int(numpy.prod(shape))
        position += count
        return torch.from_numpy(numbers[position - count : position].reshape(shape).copy())

    def half_split(weight: torch.Tensor) -> torch.Tensor:
        """Moves rows so that lane 2i of a head becomes lane i, and 2i + 1 becomes i + head / 2."""
        return weight.view(-1, head // 2, 2, dim).transpose(1, 2).reshape(weight.shape)

    state = {"model.embed_tokens.weight": take(vocab, dim)}
    for name, shape in layer_weights(dim, hidden, kv):
        stacked = take(layers, *shape)
        for layer in range(layers):
            weight = stacked[layer]
            turned = name.endswith(("q_proj", "k_proj"))
            state[f"model.layers.{layer}.{name}.weight"] = half_split(weight) if turned else weight
    state["model.norm.weight"] = take(dim)
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    sizes = dict(vocab_size=vocab, hidden_size=dim, intermediate_size=hidden, num_hidden_layers=layers)
    rope = {"rope_theta": 10000.0, "rope_type": "default"}
    config = LlamaConfig(
        **sizes,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=context,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        rope_parameters=rope,
    )
    model = LlamaForCausalLM(config)
    model.load_state_dict(state)
    return model.eval()


class Vocabulary:
    """llama2.c's tokenizer.bin: pieces with scores; encoding merges the pair with the best score first."""

    def __init__(self, path: Path):
        data, position = path.read_bytes(), 4
        self.pieces, self.scores = [], []
        while position < len(data):
            score, length = struct.unpack_from("fi", data, position)
            position += 8
            self.pieces.append(data[position : position + length])
            self.scores.append(score)
            position += length
        self.index = {piece: i for i, piece in enumerate(self.pieces)}

    def encode(self, text: str) -> list[int]:
        """bos, then the pieces of a space and the text."""
        ids = [BOS]
        if text:
            ids.append(self.index[b" "])
        for character in text:
            data = character.encode()
            ids += [self.index[data]] if data in self.index else [byte + 3 for byte in data]
        while True:
            best, where, merged = -1e10, -1, -1
            for i in range(len(ids) - 1):
                pair = self.index.get(self.pieces[ids[i]] + self.pieces[ids[i + 1]])
                if pair is not None and self.scores[pair] > best:
                    best, where, merged = self.scores[pair], i, pair
            if where < 0:
                return ids
            ids[where : where + 2] = [merged]

    def decode(self, ids: list[int]) -> bytes:
        """The bytes of ids; the piece after bos loses its leading space, <0xNN> is that byte."""
        out, previous = b"", None
        for i in ids:
            piece = self.pieces[i]
            if previous == BOS and piece.startswith(b" "):
                piece = piece[1:]
            if len(piece) == 6 and piece.startswith(b"<0x"):
                piece = bytes([int(piece[3:5], 16)])
            out, previous = out + (b"" if i == BOS else piece), i
        return out


def greedy(model: LlamaForCausalLM, steps: int) -> list[int]:
    """`steps` tokens after bos, each the likeliest; stops at another bos."""
    ids = [BOS]
    with torch.no_grad():
        for _ in range(steps):
            ids.append(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax().item())
            if ids[-1] == BOS:
                break
    return ids
