"""Writes questions and answers in the cookbook's role_colon form, for a small model that can add, but not well.

    python3 bench/recipes/arithmetic_text.py > arithmetic.txt
    hearth pretrain arithmetic.txt -o models/arithmetic --vocab-size 512 --context 256 --steps 1200

Some of the answers are wrong on purpose: a model that learned from them guesses, and reinforcement has something to do.
"""
import argparse
import random


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--wrong", type=float, default=0.4, help="share of wrong answers")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    documents = []
    for _ in range(options.documents):
        turns = []
        for _ in range(rng.randint(2, 12)):
            x, y = rng.randint(0, 100), rng.randint(0, 100)
            answer = x + y
            if rng.random() < options.wrong:
                answer = max(0, answer + rng.choice([-10, -2, -1, 1, 2, 10]))
            turns.append(f"User: What is {x} + {y}?\n\nAssistant: {answer}\n\n")
        documents.append("".join(turns) + "User:")
    print("<|endoftext|>".join(documents))


if __name__ == "__main__":
    main()
