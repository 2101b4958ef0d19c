"""hearth.llm on the bundled story model."""
import json
import pathlib

import pytest

import hearth
from hearth import llm

MODEL = pathlib.Path(__file__).resolve().parents[3] / "models/stories-2m"


@pytest.fixture(scope="module")
def model():
    return llm.load(MODEL)


def test_greedy_text_is_the_same_alone_and_in_a_list(model):
    alone = model.generate("Once upon a time", max_tokens=12, temperature=0)
    both = model.generate(["A dog", "Once upon a time"], max_tokens=12, temperature=0)
    assert both[1].text == alone.text and both[1].logprobs == alone.logprobs
    assert alone.finish_reason == "length" and len(alone.tokens) == 12


def test_seed_decides(model):
    texts = [model.generate("Once", max_tokens=10, seed=s).text for s in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_log_probability_is_that_of_the_logits(model):
    prompt = model.encode("Once upon a time")
    found = model.generate(prompt, max_tokens=1, temperature=0)
    row = model.logits(prompt)[-1]
    assert int(row.argmax()) == found.tokens[0]
    assert float(hearth.log_softmax(row, 0)[found.tokens[0]]) == pytest.approx(found.logprobs[0], abs=1e-5)


def test_tokens_go_there_and_back(model):
    assert model.decode(model.encode("Lily and Tom")).strip() == "Lily and Tom"


def test_unknown_settings_and_bad_values_are_refused_by_name(model, tmp_path):
    with pytest.raises(ValueError, match="top_p"):
        model.generate("x", top_p=7)
    with pytest.raises(ValueError, match="colour"):
        llm.tune(MODEL, "data.jsonl", tmp_path / "out", colour="red")
    with pytest.raises(OSError):
        llm.load(tmp_path)


def test_tune_learns_and_reports(tmp_path, capsys):
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(json.dumps({"prompt": f"Who is {n}?", "completion": f" {n} is a cat."})
                              for n in ("Pim", "Dot", "Zed", "Kit") * 3))
    steps = []
    result = llm.tune(MODEL, data, tmp_path / "out", steps=8, rank=4, learning_rate=5e-3, on_step=steps.append)
    assert [s["step"] for s in steps] == list(range(1, 9)) and result.steps == 8
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert (tmp_path / "out/adapter_model.safetensors").exists() and "<svg" in result._repr_html_()
    assert "steps" in capsys.readouterr().err
    assert llm.load(MODEL, adapter=tmp_path / "out").generate("Who is Pim?", max_tokens=4, temperature=0).tokens


def test_stop_text_ends_and_callback_error_reaches_the_caller(model):
    assert model.generate("Once upon a time", max_tokens=60, temperature=0, stop=".").finish_reason == "stop"

    def fails(*_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        model.generate("Once", max_tokens=5, on_token=fails)
