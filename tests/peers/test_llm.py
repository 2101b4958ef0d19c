# hearth against transformers and PEFT: fresh random models in every run, adapters and exports in both directions.
"""The seed of a run is printed with a failure; PEER_SEED repeats it."""

import json
import os
import time
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM

from frozen import DATA, difference
from hearth_side import compute, hearth
from tiny_models import FAMILIES, add_lora, build, forward, hub_config, peft_name, random_tokens

SEED = int(os.environ.get("PEER_SEED", int(time.time()) % 1000000))
TOLERANCE = 1e-5
VOCABULARY = 320
TEXT = [
    "The cat sat on the mat.",
    "A dog ran in the park.",
    "Birds sing when the sun is up.",
    "She gave him a red ball.",
]

# Variants that the frozen models do not have: sizes, groups, scaling in another family, an explicit head size.
VARIANTS = {
    "llama-tiny": dict(hidden_size=48, num_attention_heads=6, num_key_value_heads=3),
    "llama-tied": dict(num_attention_heads=2, num_key_value_heads=2, head_dim=10),
    "qwen2-tiny": dict(hidden_size=64, num_attention_heads=4, num_key_value_heads=1, tie_word_embeddings=False),
    "qwen3-tiny": dict(
        hidden_size=40, num_attention_heads=6, num_key_value_heads=2, head_dim=18, tie_word_embeddings=True
    ),
}


def write_tokenizer(folder: Path) -> None:
    """A byte-level BPE tokenizer of at most VOCABULARY entries; ids 0 to 2 are unknown, bos and eos."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(TEXT * 4, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


class Fresh:
    """A fresh random model with tokenizer and adapter in a folder, and token sequences."""

    def __init__(self, family: str, variant: bool, folder: Path):
        self.generator = torch.Generator().manual_seed(SEED * 10 + list(FAMILIES).index(family) * 2 + variant)
        self.work, self.folder, self.adapter = folder, folder / "model", folder / "adapter"
        changes = VARIANTS[family] if variant else {}
        model = build(family, self.generator, vocab_size=VOCABULARY + variant * 7, **changes)
        model.save_pretrained(self.folder, max_shard_size="70KB" if variant else "1GB")
        if variant:
            hub_config(self.folder)
        write_tokenizer(self.folder)
        add_lora(model, self.generator).save_pretrained(self.adapter)
        self.sequences = [random_tokens(self.generator, VOCABULARY, n) for n in (1, 2, 17, 64, 5)]

    def peer(self, folder: Path | None = None, adapter: Path | None = None):
        """transformers' model in float64 (with PEFT's adapter), from float32 weights."""
        model = AutoModelForCausalLM.from_pretrained(
            folder or self.folder, dtype=torch.float32, attn_implementation="sdpa"
        )
        if adapter:
            model = PeftModel.from_pretrained(model, adapter, is_trainable=True)
        return model.double().eval()

    def peer_logits(self, folder: Path | None = None, adapter: Path | None = None) -> list[torch.Tensor]:
        with torch.no_grad():
            return [logits.float() for logits in forward(self.peer(folder, adapter), self.sequences)[0]]


@pytest.fixture(
    scope="module", params=[(f, v) for f in FAMILIES for v in (False, True)], ids=lambda p: p[0] + "-variant" * p[1]
)
def fresh(request, tmp_path_factory):
    print(f"PEER_SEED={SEED}")
    return Fresh(*request.param, tmp_path_factory.mktemp("fresh"))


def assert_close(name: str, seen: torch.Tensor, wanted: torch.Tensor) -> None:
    error = difference(seen, wanted.detach().float())
    assert error <= TOLERANCE, f"{name}: relative error {error:.3g} (PEER_SEED={SEED})"


def assert_same_logits(seen: dict, wanted: list[torch.Tensor]) -> None:
    for i, logits in enumerate(wanted):
        assert_close(f"logits.{i}", seen[f"logits.{i}"], logits)


def test_full_model(fresh):
    seen, peer = compute(fresh.folder, fresh.sequences, fresh.work), fresh.peer()
    logits, _, loss = forward(peer, fresh.sequences)
    loss.backward()
    assert_same_logits(seen, logits)
    assert_close("loss", seen["loss"], loss)
    gradients = {f"grad.{name}": p.grad for name, p in peer.named_parameters()}
    assert {k for k in seen if k.startswith("grad.")} == set(gradients)
    for name, gradient in gradients.items():
        assert_close(name, seen[name], gradient)


def test_adapter_written_by_peft(fresh):
    seen, peer = compute(fresh.folder, fresh.sequences, fresh.work, fresh.adapter), fresh.peer(adapter=fresh.adapter)
    logits, _, loss = forward(peer, fresh.sequences)
    loss.backward()
    assert_same_logits(seen, logits)
    assert_close("loss", seen["loss"], loss)
    gradients = {f"grad.{peft_name(name)}": p.grad for name, p in peer.named_parameters() if "lora_" in name}
    assert {k for k in seen if k.startswith("grad.")} == set(gradients)
    for name, gradient in gradients.items():
        assert_close(name, seen[name], gradient)


def test_adapter_written_by_hearth(fresh):
    data, out = fresh.work / "data.jsonl", fresh.work / "tuned"
    data.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXT * 8))
    hearth("tune", fresh.folder, data, "-o", out, "--steps", 4, "--seed", 1)
    assert_same_logits(compute(fresh.folder, fresh.sequences, fresh.work, out), fresh.peer_logits(adapter=out))
    changed = difference(fresh.peer_logits(adapter=out)[3], fresh.peer_logits()[3])
    assert changed > 1e-4, "four steps of training changed nothing"


def test_exported_folder(fresh):
    out = fresh.work / "merged"
    hearth("export", fresh.folder, "--adapter", fresh.adapter, "-o", out)
    merged = fresh.peer_logits(folder=out)
    assert_same_logits({f"logits.{i}": l for i, l in enumerate(merged)}, fresh.peer_logits(adapter=fresh.adapter))
    assert_same_logits(compute(out, fresh.sequences, fresh.work), merged)


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_text(family, tmp_path):
    """The frozen models have no tokenizer, so this goes through ids: hearth's logits choose the frozen tokens."""
    from safetensors.torch import load_file

    folder = DATA / "models" / family
    expected = load_file(folder / "expected.safetensors")
    ids = torch.cat([expected["greedy.prompt"], expected["greedy.tokens"]])
    logits = compute(folder, [ids], tmp_path)["logits.0"]
    assert torch.equal(logits[len(expected["greedy.prompt"]) - 1 : -1].argmax(1), expected["greedy.tokens"])
