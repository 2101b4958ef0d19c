"""hearth.llm: load a language model, continue text, hold a chat, fine-tune it.

Example:
    import hearth.llm as llm
    model = llm.load("models/story")
    print(model.generate("Once upon a time", max_tokens=50, temperature=0).text)
    llm.tune("models/story", "examples.jsonl", "my-adapter", steps=60)
    better = llm.load("models/story", adapter="my-adapter")
"""
from .model import Completion, LanguageModel, load
from .tuning import TuneResult, tune

__all__ = ["load", "LanguageModel", "Completion", "tune", "TuneResult"]
