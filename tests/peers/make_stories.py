# Writes what transformers computes for stories260K: the greedy text and the mean loss of 100 stories.
"""make_stories.py FOLDER writes FOLDER/stories260K.json from ../shared/data; nothing where that is absent."""

import os
import sys
from pathlib import Path

import torch

from frozen import DATA, versions, write_json
from llama2c import Vocabulary, greedy, load_model

SHARED = Path(os.environ.get("HEARTH_SHARED", DATA.parent.parent.parent / "shared")) / "data"
STORIES, CHARACTERS, STEPS = 100, 1000, 200


def stories(count: int) -> list[str]:
    """The first stories of the TinyStories sample, without the white space around them."""
    text = (SHARED / "tinystories-sample" / "tinystories_sample.txt").read_text()
    parts = (part.strip() for part in text.split("<|endoftext|>"))
    return [part for part in parts if part][:count]


def losses(model, vocabulary) -> tuple[list[float], list[int], list[int]]:
    """Per story: sum of the targets' losses, number of targets; and the ids of the first story."""
    sums, counts, first = [], [], None
    for story in stories(STORIES):
        ids = torch.tensor(vocabulary.encode(story[:CHARACTERS])[: model.config.max_position_embeddings])
        first = ids.tolist() if first is None else first
        with torch.no_grad():
            logprobs = torch.log_softmax(model(input_ids=ids[None]).logits[0, :-1], -1)
        sums.append(-logprobs.gather(1, ids[1:, None]).sum().item())
        counts.append(len(ids) - 1)
    return sums, counts, first


def main() -> None:
    folder = Path(sys.argv[1])
    if not SHARED.is_dir():
        print(f"shared data is absent: {SHARED}")
        return
    torch.set_num_threads(1)
    model = load_model(SHARED / "stories260K" / "stories260K.bin")
    vocabulary = Vocabulary(SHARED / "stories260K" / "tok512.bin")
    ids = greedy(model, STEPS)
    sums, counts, first = losses(model.double(), vocabulary)
    content = {
        "versions": versions("transformers"),
        "greedy_tokens": ids,
        "greedy_text": vocabulary.decode(ids).decode(),
        "mean_loss": sum(sums) / sum(counts),
        "targets": sum(counts),
        "first_story_tokens": first,
        "story_losses": sums,
        "story_targets": counts,
    }
    write_json(folder / "stories260K.json", content)


if __name__ == "__main__":
    main()
