"""One client of the kill test: trains, samples and saves through the SDK, and writes down every answer that it got.

    python kill_client.py NUMBER STEPS OUT      (TINKER_BASE_URL names the server)
"""
import json
import os
import pathlib
import random
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import tinker  # noqa: E402
from tinker import types  # noqa: E402

MODEL = "models/stories-2m"


def done(value):
    return value.result() if hasattr(value, "result") else value


def datum(rng, length):
    tokens = [rng.randrange(1, 2000) for _ in range(length + 1)]
    weights = [rng.choice([0.0, 0.5, 1.0]) for _ in range(length)]
    return types.Datum(model_input=types.ModelInput.from_ints(tokens[:-1]),
                       loss_fn_inputs={"target_tokens": tokens[1:], "weights": weights})


def main():
    number, steps, out = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    rng = random.Random(number)
    service = tinker.ServiceClient(api_key="tml-test")
    client = done(service.create_lora_training_client(base_model=MODEL, rank=4, seed=number))
    answers = []
    for step in range(steps):
        passes = [client.forward_backward([datum(rng, rng.randint(4, 60)) for _ in range(3)], "cross_entropy")
                  for _ in range(2)]
        update = client.optim_step(types.AdamParams(learning_rate=1e-3, grad_clip_norm=1.0))
        for answer in passes:
            result = answer.result()
            answers.append([o["logprobs"].tolist() for o in result.loss_fn_outputs])
            answers.append(result.metrics["loss:sum"])
        answers.append(update.result().metrics)
        if step % 3 == 2:
            sampler = done(client.save_weights_and_get_sampling_client())
            samples = [sampler.sample(types.ModelInput.from_ints([5, 6, 7 + i]), num_samples=2,
                                      sampling_params=types.SamplingParams(max_tokens=12, seed=100 + i, temperature=1.0))
                       for i in range(4)]
            for sample in samples:
                answers.append([[list(s.tokens), list(s.logprobs)] for s in sample.result().sequences])
        (out / f"progress-{number}").write_text(str(step + 1))
    path = client.save_state("final").result().path
    out.joinpath(f"client-{number}.json").write_text(json.dumps({"path": path, "answers": answers}))


if __name__ == "__main__":
    main()
