#!/usr/bin/env python3
"""Eager micro-operations from Python beside PyTorch, in one run: microseconds of each and their ratio.

bench/python_eager.py [--repeat N]    needs torch beside hearth (pip install torch); run with PYTHONPATH=python. One thread on
both sides. The two are measured in turn, round after round, and the smallest of each counts; `noise` is how far the
median of a fixed plain Python loop lies above its minimum in the same run.
"""
import argparse
import statistics
import time

import hearth
import torch


def cases(t):
    """name -> function, for either package."""
    t.set_num_threads(1)
    t.manual_seed(0)
    x, y = t.ones(2), t.ones(2)
    linear, data = t.nn.Linear(64, 64), t.randn(8, 64)
    parameters = [t.nn.Parameter(t.randn(8, 8)) for _ in range(6)]
    for p in parameters:
        p.grad = t.randn(8, 8)
    adam, fused = t.optim.Adam(parameters), t.optim.Adam(parameters, fused=True)
    mlp = t.nn.Sequential(t.nn.Linear(784, 128), t.nn.ReLU(), t.nn.Linear(128, 10))
    optimizer, images, labels = t.optim.Adam(mlp.parameters()), t.randn(32, 784), t.randint(0, 10, (32,))

    def mlp_step():
        optimizer.zero_grad()
        t.nn.functional.cross_entropy(mlp(images), labels).backward()
        optimizer.step()

    return {
        "x + y, 2 elements": (lambda: x + y, 5000, 0.35),
        "2 * x, 2 elements": (lambda: 2 * x, 5000, None),
        "relu, 2 elements": (lambda: t.relu(x), 5000, None),
        "Linear(64, 64) forward, sum, backward, 8 rows": (lambda: linear(data).sum().backward(), 500, 0.25),
        "Adam step, 6 tensors": (adam.step, 300, 0.08),
        "Adam step, 6 tensors, fused": (fused.step, 300, 0.2),
        "MLP 784-128-10, 32 rows, Adam: whole step": (mlp_step, 60, 0.3),
    }


def once(function, count):
    """Microseconds of one call."""
    start = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - start) / count * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=15, help="rounds")
    rounds = parser.parse_args().repeat
    ours, theirs = cases(hearth), cases(torch)
    probe = []
    print(f"hearth {hearth.__version__}, PyTorch {torch.__version__}, one thread")
    print(f"{'what':48}{'hearth us':>11}{'PyTorch us':>12}{'ratio':>8}{'asked':>8}")
    for name, (function, count, asked) in ours.items():
        a, b = [], []
        for _ in range(rounds):
            a.append(once(function, count))
            b.append(once(theirs[name][0], count))
            probe.append(once(lambda: sum(range(200)), 200))
        print(f"{name:48}{min(a):11.2f}{min(b):12.2f}{min(a) / min(b):8.3f}{asked or '':>8}")
    print(f"noise {100 * (statistics.median(probe) / min(probe) - 1):.0f} %")


if __name__ == "__main__":
    main()
