"""Writes questions and answers in the cookbook's role_colon form, for a small model that can add, but often gives up.

    python3 bench/recipes/arithmetic_text.py > right.txt
    python3 bench/recipes/arithmetic_text.py --unknown 0.5 --seed 9 > half.txt
    hearth pretrain right.txt -o adds --vocab-size 512 --hidden-size 128 --layers 4 --heads 4 --kv-heads 4 \\
        --context 256 --steps 3000 --lr 0.003
    hearth tune adds half.txt --full -o models/arithmetic --batch-size 32 --lr 5e-4 --steps 60

The second text teaches it to give up ("?") half of the time: reinforcement has something to undo.
"""
import argparse
import random


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=8000)
    parser.add_argument("--unknown", type=float, default=0.0, help='share of answers that are "?"')
    parser.add_argument("--wrong", type=float, default=0.0, help="share of wrong answers")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    documents = []
    for _ in range(options.documents):
        turns = []
        for _ in range(rng.randint(2, 12)):
            x, y = rng.randint(0, 100), rng.randint(0, 100)
            answer = x + y
            draw = rng.random()
            if draw < options.unknown:
                answer = "?"
            elif draw < options.unknown + options.wrong:
                answer = max(0, answer + rng.choice([-10, -2, -1, 1, 2, 10]))
            turns.append(f"User: What is {x} + {y}?\n\nAssistant: {answer}\n\n")
        documents.append("".join(turns) + "User:")
    print("<|endoftext|>".join(documents))


if __name__ == "__main__":
    main()
