# Writes the small Llama of the step benchmark as a Hugging Face folder with random weights, an adapter and tokens.
"""make_small.py FOLDER [--layers N] [--seed S]: both sides of the benchmark read the same weights and tokens from FOLDER.

Hidden 576, 30 layers, inner 1536, 9 heads, 3 kv heads, vocabulary 49152, tied: 134.5 M parameters, 538 MB in float32.
FOLDER/adapter is a PEFT adapter of rank 16, alpha 32 on all seven linear layers (A random, B zero: a fresh one);
FOLDER/tokens.safetensors holds `tokens`, int64 [8, 256]. Needs NumPy and safetensors only.
"""

import argparse
import json
from pathlib import Path

import numpy
from safetensors.numpy import save_file

HIDDEN, INNER, HEADS, KV_HEADS, VOCAB = 576, 1536, 9, 3, 49152
RANK, ALPHA, BATCH, LENGTH = 16, 32, 8, 256
KV = HIDDEN // HEADS * KV_HEADS
LINEARS = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (KV, HIDDEN),
    "self_attn.v_proj": (KV, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (INNER, HIDDEN),
    "mlp.up_proj": (INNER, HIDDEN),
    "mlp.down_proj": (HIDDEN, INNER),
}


def config(layers: int) -> dict:
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCAB, "hidden_size": HIDDEN,
        "intermediate_size": INNER, "num_hidden_layers": layers, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "rope_scaling": None, "tie_word_embeddings": True, "attention_bias": False,
        "mlp_bias": False, "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32",
    }  # fmt: skip


def adapter_config() -> dict:
    return {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": ALPHA, "lora_dropout": 0.0, "bias": "none",
        "target_modules": [name.split(".")[1] for name in LINEARS], "inference_mode": True, "fan_in_fan_out": False,
    }  # fmt: skip


def weights(layers: int, random) -> dict:
    def normal(*shape):
        return random.standard_normal(shape, dtype=numpy.float32) * numpy.float32(0.04)

    out = {"model.embed_tokens.weight": normal(VOCAB, HIDDEN), "model.norm.weight": numpy.ones(HIDDEN, numpy.float32)}
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        out.update({f"{prefix}{name}.weight": normal(*shape) for name, shape in LINEARS.items()})
        for norm in ("input_layernorm", "post_attention_layernorm"):
            out[f"{prefix}{norm}.weight"] = numpy.ones(HIDDEN, numpy.float32)
    return out


def adapter(layers: int, random) -> dict:
    out = {}
    for layer in range(layers):
        for name, (rows, columns) in LINEARS.items():
            prefix = f"base_model.model.model.layers.{layer}.{name}."
            bound = 1 / columns**0.5
            out[prefix + "lora_A.weight"] = random.uniform(-bound, bound, (RANK, columns)).astype(numpy.float32)
            out[prefix + "lora_B.weight"] = numpy.zeros((rows, RANK), numpy.float32)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = numpy.random.default_rng(options.seed)
    (options.folder / "adapter").mkdir(parents=True, exist_ok=True)
    (options.folder / "config.json").write_text(json.dumps(config(options.layers), indent=2) + "\n")
    (options.folder / "adapter" / "adapter_config.json").write_text(json.dumps(adapter_config(), indent=2) + "\n")
    metadata = {"format": "pt"}
    save_file(weights(options.layers, random), options.folder / "model.safetensors", metadata)
    save_file(adapter(options.layers, random), options.folder / "adapter" / "adapter_model.safetensors", metadata)
    tokens = random.integers(3, VOCAB, (BATCH, LENGTH))
    save_file({"tokens": tokens}, options.folder / "tokens.safetensors")


if __name__ == "__main__":
    main()
