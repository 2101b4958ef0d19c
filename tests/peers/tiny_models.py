# Tiny random language models of each family, and what transformers and PEFT say about them.
"""Used for the frozen fixtures (make_models.py, fixed seeds) and for fresh models per run (test_llm.py)."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

from frozen import normal

ALL_LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LLAMA3_SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
COMMON = dict(max_position_embeddings=512, bos_token_id=1, eos_token_id=2)

# Vocabulary and inner sizes are deliberately no multiples of a vector's width.
FAMILIES = {
    "llama-tiny": (
        LlamaForCausalLM,
        LlamaConfig,
        dict(
            vocab_size=101,
            hidden_size=32,
            intermediate_size=52,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            rms_norm_eps=1e-5,
            tie_word_embeddings=False,
            rope_parameters={"rope_theta": 10000.0, **LLAMA3_SCALING},
        ),
    ),
    "llama-tied": (
        LlamaForCausalLM,
        LlamaConfig,
        dict(
            vocab_size=96,
            hidden_size=32,
            intermediate_size=60,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=1,
            rms_norm_eps=1e-6,
            tie_word_embeddings=True,
            rope_parameters={"rope_theta": 10000.0, "rope_type": "default"},
        ),
    ),
    "qwen2-tiny": (
        Qwen2ForCausalLM,
        Qwen2Config,
        dict(
            vocab_size=120,
            hidden_size=48,
            intermediate_size=56,
            num_hidden_layers=2,
            num_attention_heads=6,
            num_key_value_heads=2,
            rms_norm_eps=1e-6,
            tie_word_embeddings=True,
            use_sliding_window=False,
            rope_parameters={"rope_theta": 1000000.0, "rope_type": "default"},
        ),
    ),
    "qwen3-tiny": (
        Qwen3ForCausalLM,
        Qwen3Config,
        dict(
            vocab_size=99,
            hidden_size=32,
            intermediate_size=44,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            rms_norm_eps=1e-6,
            tie_word_embeddings=False,
            rope_parameters={"rope_theta": 1000000.0, "rope_type": "default"},
        ),
    ),
}


def build(family: str, generator: torch.Generator, **changes):
    """A random float32 model of `family`; norm weights lie around 1, biases are not zero."""
    model_class, config_class, settings = FAMILIES[family]
    model = model_class(config_class(**{**COMMON, **settings, **changes}, attn_implementation="sdpa"))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.copy_(normal(generator, *parameter.shape, scale=0.3, shift=1.0))
            elif name.endswith("bias"):
                parameter.copy_(normal(generator, *parameter.shape, scale=0.5))
            else:
                scale = 1.0 if "embed" in name else 1.0 / parameter.shape[-1] ** 0.5
                if "embed" in name and model.config.tie_word_embeddings:
                    scale = 0.3
                parameter.copy_(normal(generator, *parameter.shape, scale=scale))
    return model.eval()


def add_lora(model, generator: torch.Generator, rank: int = 4, alpha: int = 8):
    """Wraps `model` by PEFT with LoRA on all seven linear layers; A and B are both random and not zero."""
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=ALL_LINEARS, task_type="CAUSAL_LM")
    wrapped = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if "lora_" in name:
                parameter.copy_(normal(generator, *parameter.shape, scale=0.5 / parameter.shape[-1] ** 0.5))
    return wrapped.eval()


def random_tokens(generator: torch.Generator, vocab: int, length: int) -> torch.Tensor:
    """int64 [length] of ordinary token ids: the first is 1 (bos), the others lie in 3..vocab-1."""
    ids = torch.randint(3, vocab, (length,), generator=generator)
    ids[0] = 1
    return ids


def target_logprobs(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """[T-1]: log-probability of tokens[1:] under logits [T, V]."""
    return F.log_softmax(logits[:-1], dim=-1).gather(1, tokens[1:, None])[:, 0]


def forward(model, sequences: list[torch.Tensor]) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
    """Logits and target log-probabilities per sequence (each run alone), and the mean loss over all targets."""
    logits = [model(input_ids=ids[None]).logits[0] for ids in sequences]
    logprobs = [target_logprobs(l, ids) for l, ids in zip(logits, sequences)]
    return logits, logprobs, -torch.cat(logprobs).mean()


def peft_name(parameter_name: str) -> str:
    """The key under which PEFT saves the LoRA parameter (in its file the adapter's name `default` is left out)."""
    return parameter_name.replace(".default.", ".")


def hub_config(folder: Path) -> None:
    """Rewrites config.json as files on the Hugging Face hub have it: rope_theta, rope_scaling, torch_dtype on top."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    config["torch_dtype"] = config.pop("dtype")
    config.pop("layer_types", None)
    config.pop("pad_token_id", None)
    config["transformers_version"] = "4.45.0"
    path.write_text(json.dumps(config, indent=2) + "\n")
