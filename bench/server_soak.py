#!/usr/bin/env python3
"""Soak test of `hearth serve`: mixed load for --minutes, a line every 30 s; fails when memory grows or an error is odd.

    tools/sdk_venv .venv-sdk && .venv-sdk/bin/python bench/server_soak.py --minutes 30

Two processes train through the SDK (passes, named saves with overwrite and delete, loads, ephemeral samplers, sessions
that end), one samples through it, and one speaks plain HTTP: bad requests, cancelled samples, polls and streams whose
client goes away. Memory of the last third may exceed that just after warm-up (the first quarter) by a tenth.
"""
import argparse
import logging
import multiprocessing
import os
import pathlib
import random
import re
import signal
import statistics
import sys
import time
import traceback
import urllib.request
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "sdk"))
import serving  # noqa: E402

MODEL, KEY = serving.MODEL, "tml-soak"
GROWTH = 1.10
WINDOWS = ((1 / 4, 5 / 12), (2 / 3, 1.01))  # shares of the time: just after warm-up, and the end


def done(value):
    return value.result() if hasattr(value, "result") else value


def expect_failure(call, *words):
    """`call` must be refused, with one of the words in what the user reads."""
    try:
        call()
    except Exception as error:
        if not any(word in str(error) for word in words):
            raise
        return
    raise AssertionError(f"was accepted, but should have failed with one of {words}")


def train(url, rng, count):
    """One session through the SDK, from its first model to its end."""
    import stories
    import tinker
    from tinker import types
    service = tinker.ServiceClient(base_url=url, api_key=KEY)
    model = done(service.create_lora_training_client(base_model=MODEL, rank=rng.choice([2, 4, 8]), seed=rng.randrange(99)))
    rest = service.create_rest_client()
    for step in range(rng.randint(4, 10)):
        passes = [model.forward_backward([stories.supervised(rng.randint(4, 80), rng.randrange(10**6)) for _ in range(3)],
                                         "cross_entropy") for _ in range(2)]
        update = model.optim_step(types.AdamParams(learning_rate=1e-3))
        if step % 3 == 1:
            expect_failure(lambda: model.forward([stories.supervised(300)], "cross_entropy").result(), "context", "256")
        for answer in (*passes, update):
            answer.result()
        count(3)
        path = model.save_state("latest", overwrite=True).result().path
        if step % 2:
            model.load_state_with_optimizer(path).result()
        sampler = done(model.save_weights_and_get_sampling_client())
        draw(sampler, rng, 4, count)
    rest.delete_checkpoint_from_tinker_path(path).result()
    expect_failure(lambda: model.load_state(path).result(), "no such checkpoint")
    named = model.save_weights_for_sampler("kept").result().path
    draw(done(service.create_sampling_client(model_path=named)), rng, 4, count)
    rest.delete_checkpoint_from_tinker_path(named).result()
    count(6)
    service.close("success").result()


def draw(sampler, rng, wanted, count):
    import stories
    from tinker import types
    answers = [sampler.sample(stories.prompt(stories.tokens(rng.randint(1, 60), rng.randrange(10**6))), rng.randint(1, 3),
                              types.SamplingParams(max_tokens=rng.randint(1, 40), temperature=rng.choice([0.0, 1.0])))
               for _ in range(wanted)]
    for answer in answers:
        assert answer.result().sequences
    count(wanted)


def sample(url, rng, count):
    """One session that only samples, forty requests at a time."""
    import tinker
    service = tinker.ServiceClient(base_url=url, api_key=KEY)
    sampler = done(service.create_sampling_client(base_model=MODEL))
    for _ in range(rng.randint(2, 6)):
        draw(sampler, rng, 40, count)
    service.close("success").result()


def wire(url, rng, count):
    """One session in plain HTTP: what breaks off, what is cancelled and what is wrong."""
    import httpx
    with httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=60) as http:
        def post(path, body, wanted=200):
            count(1)
            answer = http.post("/api/v1/" + path, json=body)
            assert answer.status_code == wanted, (path, answer.status_code, answer.text)
            return answer.json() if "json" in answer.headers["Content-Type"] else answer.content

        session = post("create_session", {"tags": [], "user_metadata": {}, "sdk_version": "soak"})["session_id"]
        for number in range(3):
            wrong_requests(http, post, session)
            sampler = post("create_sampling_session", {"session_id": session, "sampling_session_seq_id": number,
                                                       "base_model": MODEL})["sampling_session_id"]
            cancelled_samples(http, post, sampler, rng)
            broken_off(http, post, session, sampler)
        post(f"sessions/{session}/finish", {"reason": {"type": "success"}})
        post("create_sampling_session", {"session_id": session, "sampling_session_seq_id": 99, "base_model": MODEL}, 410)
        post("retrieve_futures", {"target": {"type": "sampling_session", "sampling_session_id": sampler}, "timeout": 0})


def wrong_requests(http, post, session):
    post("create_model", {"session_id": session, "model_seq_id": "x"}, 400)
    post("retrieve_future", {"request_id": "nobody:op:1"}, 404)
    post("optim_step", {"model_id": "nobody", "seq_id": 1, "adam_params": {}}, 404)
    post("forward_backward", {"model_id": "nobody", "seq_id": 1}, 415)
    post("asample", {"sampling_session_id": "nobody", "seq_id": 1, "prompt": {"chunks": []}, "sampling_params": {}}, 400)
    assert http.post("/api/v1/optim_step", content=b"{").status_code == 400
    assert http.get(f"/api/v1/no/{os.urandom(4).hex()}").status_code == 404


def cancelled_samples(http, post, sampler, rng):
    for seq_id in range(1, 9):
        body = {"sampling_session_id": sampler, "seq_id": seq_id, "num_samples": 2, "sampling_params": {"max_tokens": 200},
                "prompt": {"chunks": [{"type": "encoded_text", "tokens": [5, 6, rng.randrange(1, 2000)]}]}}
        request_id = post("asample", body)["request_id"]
        if seq_id % 2:
            post("cancel_future", {"request_id": request_id})
    target = {"type": "sampling_session", "sampling_session_id": sampler}
    finished, cursor = {}, 0
    while len(finished) < 8:
        answer = post("retrieve_futures", {"target": target, "prev_cursor": cursor, "timeout": 5,
                                           "retrieved_request_ids": list(finished)})
        cursor = answer["cursor"]
        finished.update({one["request_id"]: one["state"] for one in answer["completions"]})
    for request_id in finished:
        post("retrieve_future", {"request_id": request_id})


def broken_off(http, post, session, sampler):
    import httpx
    target = {"type": "sampling_session", "sampling_session_id": sampler}
    try:  # a poll for samples that never come, whose client does not wait
        http.post("/api/v1/retrieve_futures", json={"target": target, "prev_cursor": 2**62, "timeout": 20}, timeout=0.2)
    except httpx.TimeoutException:
        pass
    body = {"model": MODEL, "prompt": "Once upon a time", "max_tokens": 150, "stream": True}
    with http.stream("POST", "/v1/completions", json=body) as answer:
        assert answer.status_code == 200
        next(answer.iter_bytes())
    post("session_heartbeat", {"session_id": session})


def work(role, url, number, stop, counted, errors):
    os.environ.update(HF_HUB_OFFLINE="1", TINKER_TELEMETRY="0")
    os.chdir(serving.ROOT)
    warnings.simplefilter("ignore", FutureWarning)  # calls that newer SDKs name otherwise
    logging.disable(logging.WARNING)  # the same, said in another way
    rng = random.Random(number)

    def count(more):
        with counted.get_lock():
            counted.value += more

    while not stop.is_set():
        try:
            role(url, rng, count)
        except Exception:
            errors.put(f"{role.__name__}: {traceback.format_exc()}")
            time.sleep(1)


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def folder_size(folder):
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.path.getsize(os.path.join(here, name))
            except FileNotFoundError:  # dropped meanwhile
                pass
    return total / 2**20


def figures(url):
    """Sums of the server's own figures by name, and how many answers were 5xx."""
    with urllib.request.urlopen(url + "/metrics", timeout=60) as answer:
        lines = re.findall(r"^(\w+)(\{.*\})? (\S+)$", answer.read().decode(), re.M)
    sums = {"hearth_http_requests_total": 0}
    for name, labels, value in lines:
        sums[name] = sums.get(name, 0) + float(value)
        if name == "hearth_http_requests_total" and 'status="5' in labels:
            sums["5xx"] = sums.get("5xx", 0) + float(value)
    return sums


def watch(server, minutes, counted, errors):
    """Prints a line every 30 s until the time is over; returns [(share of the time, MiB)] and the errors."""
    begin, memory, found, next_line = time.monotonic(), [], [], 0
    print("    s  RSS MiB  open futures  polls  models  HTTP requests  client calls  errors  data MiB", flush=True)
    while (passed := time.monotonic() - begin) < 60 * minutes:
        if server.process.poll() is not None:
            found.append(f"the server ended with status {server.process.returncode}")
            break
        memory.append((passed / (60 * minutes), resident(server.process.pid)))
        while not errors.empty():
            found.append(errors.get())
            print(found[-1], flush=True)
        if passed >= next_line:
            next_line += 30
            now = figures(server.url)
            waiting = sum(now[f"hearth_{name}"] for name in ("waiting_operations", "waiting_samples", "running_samples"))
            print(f"{passed:5.0f}  {memory[-1][1]:7.1f}  {waiting:12.0f}  {now['hearth_open_polls']:5.0f}  "
                  f"{now['hearth_models']:6.0f}  {now['hearth_http_requests_total']:13.0f}  {counted.value:12d}  "
                  f"{len(found):6d}  {folder_size(server.data):8.1f}", flush=True)
            if now.get("5xx"):
                found.append(f"{now['5xx']:.0f} answers were 5xx")
        time.sleep(2)
    return memory, found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--trainers", type=int, default=2, help="processes that train")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server goes too
    context = multiprocessing.get_context("spawn")
    stop, counted, errors = context.Event(), context.Value("q", 0), context.Queue()
    server = serving.Server("--log", "warning").start()
    roles = [train] * arguments.trainers + [sample, wire]
    workers = [context.Process(target=work, args=(role, server.url, number, stop, counted, errors), daemon=True)
               for number, role in enumerate(roles)]
    for worker in workers:
        worker.start()
    try:
        memory, found = watch(server, arguments.minutes, counted, errors)
    finally:
        for worker in workers:
            worker.terminate()
        server.close()
    early, late = [statistics.median(m for share, m in memory if low <= share <= high) for low, high in WINDOWS]
    print(f"memory: {early:.1f} MiB after warm-up, {late:.1f} MiB in the last third, ratio {late / early:.3f}; "
          f"{counted.value} client calls, {len(found)} unexpected errors")
    return int(late > GROWTH * early or bool(found))


if __name__ == "__main__":
    sys.exit(main())
