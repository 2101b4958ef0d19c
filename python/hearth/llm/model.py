"""A loaded model: encoding, generating, chatting."""
import os

from .. import _C


class Completion:
    """A continuation: `text`, `tokens`, `logprobs` (of each token) and `finish_reason` ("stop" or "length")."""

    __slots__ = ("text", "tokens", "logprobs", "finish_reason")

    def __init__(self, text, tokens, logprobs, finish_reason):
        self.text, self.tokens, self.logprobs, self.finish_reason = text, tokens, logprobs, finish_reason

    def __repr__(self):
        return f"Completion({self.text!r}, finish_reason={self.finish_reason!r})"

    def __str__(self):
        return self.text


class LanguageModel:
    """A model folder (Hugging Face or llama2.c) with its tokenizer and, if given, a LoRA adapter."""

    def __init__(self, path, adapter=None, dtype=None):
        name = None if dtype is None else str(dtype).split(".")[-1]
        self._model = _C._LanguageModel(os.fspath(path), None if adapter is None else os.fspath(adapter), name)

    def encode(self, text):
        """Token ids of a prompt, with the beginning token where the model wants one."""
        return self._model.encode(text)

    def decode(self, tokens):
        """Text of token ids."""
        return self._model.decode(list(tokens))

    def generate(self, prompt, *, max_tokens=256, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0,
                 seed=0, stop=(), on_token=None):
        """Continues a prompt (str or token ids), or each of a list of prompts at once: a Completion, or a list of them.
        Equal seeds give equal text, alone or among others; prompt i of a list uses seed + i. on_token(i, token, logprob,
        text) is called as the tokens come. Raises ValueError for settings that make no sense."""
        many = isinstance(prompt, (list, tuple)) and not all(isinstance(p, int) for p in prompt)
        prompts = list(prompt) if many else [prompt]
        tokens = [self.encode(p) if isinstance(p, str) else [int(t) for t in p] for p in prompts]
        settings = dict(max_tokens=max_tokens, temperature=float(temperature), top_k=top_k, top_p=float(top_p), min_p=float(min_p),
                        repetition_penalty=float(repetition_penalty), seed=seed, stop=[stop] if isinstance(stop, str) else list(stop))
        found = [Completion(*c) for c in self._model.generate(tokens, settings, on_token)]
        return found if many else found[0]

    def chat(self, messages, **settings):
        """The answer to a conversation: a list of {"role": ..., "content": ...}, through the model's own template."""
        turns = [[m["role"], m["content"]] for m in messages]
        return self.generate(self._model.encode_chat(turns), **settings)

    def logits(self, tokens):
        """Logits [tokens, vocab] of a sequence of token ids, float32."""
        return self._model.logits([[int(t) for t in tokens]])

    def named_parameters(self):
        """(name, tensor) of the base weights, by Hugging Face's names; they share the model's memory."""
        return iter(self._model.named_parameters())

    @property
    def vocab_size(self):
        """Largest token id + 1."""
        return self._model.vocab_size


def load(path, adapter=None, dtype=None):
    """A LanguageModel. dtype: float32 or bfloat16, else that of the files. Raises OSError for a folder that is no model."""
    return LanguageModel(path, adapter, dtype)
