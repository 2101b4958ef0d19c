#!/usr/bin/env python3
"""600 samples at once through the SDK against `hearth serve`, beside the same requests one at a time.

    .venv-sdk/bin/python bench/server_samples.py --model models/stories-2m [--samples 600] [--tokens 32]

All must be answered, with the tokens that each gives alone. Exits with 1 if not.
"""
import argparse
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "sdk"))
import serving  # noqa: E402

os.environ.update(HF_HUB_OFFLINE="1", TINKER_TELEMETRY="0")


def ask(sampler, number, arguments):
    """Request `number`: a prompt and a seed of its own, always as long as asked for."""
    from tinker import types
    tokens = [1 + (number * 7919 + i * 104729) % 1999 for i in range(arguments.prompt)]
    params = types.SamplingParams(max_tokens=arguments.tokens, temperature=1.0, seed=number, stop=[])
    return sampler.sample(types.ModelInput.from_ints(tokens), 1, params)


def measure(name, numbers, answer):
    """Prints tokens/s of what `answer` gives for the numbers; returns it and the tokens."""
    begin = time.monotonic()
    found = answer(numbers)
    seconds = time.monotonic() - begin
    total = sum(len(tokens) for tokens in found)
    print(f"{name:14s}  {len(found):5d} samples  {total:7d} tokens  {seconds:7.1f} s  {total / seconds:8.1f} tokens/s", flush=True)
    return total / seconds, found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=str(serving.ROOT / serving.MODEL), help="folder of the model")
    parser.add_argument("--samples", type=int, default=600, help="requests that wait at once")
    parser.add_argument("--alone", type=int, default=20, help="requests sent one at a time, before and after")
    parser.add_argument("--prompt", type=int, default=16, help="tokens of a prompt")
    parser.add_argument("--tokens", type=int, default=32, help="tokens of an answer")
    arguments = parser.parse_args()
    import tinker
    folder = pathlib.Path(arguments.model).resolve()
    server = serving.Server("--log", "warning", "--model", f"bench={folder}").start()
    try:
        service = tinker.ServiceClient(base_url=server.url, api_key="tml-bench")
        sampler = service.create_sampling_client(base_model="bench")
        sampler = sampler.result() if hasattr(sampler, "result") else sampler

        def one_by_one(numbers):
            return [ask(sampler, n, arguments).result().sequences[0].tokens for n in numbers]

        def at_once(numbers):
            return [answer.result().sequences[0].tokens for answer in [ask(sampler, n, arguments) for n in numbers]]

        one_by_one([10**6])  # loads the model
        before, alone = measure("one at a time", range(arguments.alone), one_by_one)
        together, found = measure("at once", range(arguments.samples), at_once)
        after, again = measure("one at a time", range(arguments.alone), one_by_one)
    finally:
        server.close()
    same = found[:arguments.alone] == alone == again
    complete = len(found) == arguments.samples and all(len(tokens) == arguments.tokens for tokens in found)
    print(f"ratio {together / ((before + after) / 2):.1f}; all answered: {complete}; the same tokens alone: {same}")
    return int(not (complete and same))


if __name__ == "__main__":
    sys.exit(main())
