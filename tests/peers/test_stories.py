# hearth on llama2.c's stories260K and BabyLlama: the known text and the known losses.
"""The values for stories260K come from transformers, see tests/data/stories260K.json."""

import json

import pytest
import torch

from frozen import DATA
from hearth_side import compute, hearth, hearth_json
from make_stories import CHARACTERS, SHARED, STEPS, STORIES, stories

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"shared data is absent: {SHARED}")
TOK105 = SHARED / "babyllama-tok105"
TOK105_CHARACTERS, TOK105_CONTEXT = 255, 256
ONE_DIGIT = 5.1e-5  # known losses are given to four decimals


def story_file(folder, characters: int):
    """A JSONL file of the first stories, each cut to `characters`."""
    path = folder / "stories.jsonl"
    path.write_text("".join(json.dumps({"text": story[:characters]}) + "\n" for story in stories(STORIES)))
    return path


def test_greedy_text():
    arguments = ("--prompt", "", "--temperature", 0, "--max-tokens", STEPS, "--seed", 1)
    text = hearth("sample", SHARED / "stories260K", *arguments)
    assert text.rstrip("\n") == json.loads((DATA / "stories260K.json").read_text())["greedy_text"].rstrip("\n")


def test_mean_loss_of_stories260k(tmp_path):
    known = json.loads((DATA / "stories260K.json").read_text())
    seen = hearth_json("eval", SHARED / "stories260K", story_file(tmp_path, CHARACTERS), "--json")
    assert seen["tokens"] == known["targets"] == 37053
    assert seen["loss"] == pytest.approx(1.4075, abs=ONE_DIGIT)
    assert seen["loss"] == pytest.approx(known["mean_loss"], rel=1e-6)


def test_mean_loss_of_tok105(tmp_path):
    """SentencePiece drops white space that is double or at the end, and 256 inputs are scored: 25,576 targets."""
    seen = hearth_json("eval", TOK105, story_file(tmp_path, TOK105_CHARACTERS), "--json")
    assert seen["tokens"] == 25576
    assert seen["loss"] == pytest.approx(0.6985, abs=ONE_DIGIT)


def test_mean_loss_of_tok105_by_characters(tmp_path):
    """The known figure counts every character: bos, a space and the text, cut to 256 tokens: 25,500 targets."""
    lines = (TOK105 / "tok105.vocab").read_text().splitlines()
    index = {line.split("\t")[0].replace("▁", " "): i for i, line in enumerate(lines)}
    sequences = []
    for story in stories(STORIES):
        ids = [1] + [index.get(character, 0) for character in " " + story[:TOK105_CHARACTERS]]
        sequences.append(torch.tensor(ids[:TOK105_CONTEXT]))
    assert sum(len(ids) - 1 for ids in sequences) == 25500
    seen = compute(TOK105 / "model5000.bin", sequences, tmp_path)
    assert seen["loss"].item() == pytest.approx(0.6985, abs=ONE_DIGIT)
