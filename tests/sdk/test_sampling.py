"""Samplers and everything that a sample request can ask for."""
import numpy as np
import pytest
import tinker
from tinker import types

import stories
from conftest import KEY, MODEL, VERSION, done, finish

call = pytest.mark.call


def draw(sampler, ids, count=1, options=None, **params):
    params.setdefault("max_tokens", 8)
    return sampler.sample(stories.prompt(ids), count, types.SamplingParams(**params), **(options or {})).result()


@call("sample")
def test_samples_have_tokens_and_finite_log_probabilities(base_sampler):
    answer = draw(base_sampler, stories.tokens(4), 3, seed=5)
    assert len(answer.sequences) == 3
    for sequence in answer.sequences:
        assert 1 <= len(sequence.tokens) <= 8 and len(sequence.logprobs) == len(sequence.tokens)
        assert np.isfinite(sequence.logprobs).all() and max(sequence.logprobs) <= 0
        assert sequence.stop_reason == "length" or sequence.tokens[-1] == 0


@call("sample: seed")
def test_a_seed_repeats_the_sample(base_sampler):
    first, again, other = (draw(base_sampler, stories.tokens(4), 2, seed=seed, max_tokens=12) for seed in (5, 5, 6))
    assert [s.tokens for s in first.sequences] == [s.tokens for s in again.sequences]
    assert [s.logprobs for s in first.sequences] == [s.logprobs for s in again.sequences]
    assert [s.tokens for s in first.sequences] != [s.tokens for s in other.sequences]
    assert first.sequences[0].tokens != first.sequences[1].tokens


@call("sample: temperature 0 is greedy")
def test_greedy(base_sampler):
    first, again = (draw(base_sampler, stories.tokens(4), 1, temperature=0.0, seed=seed) for seed in (1, 2))
    assert first.sequences[0].tokens == again.sequences[0].tokens
    (top,) = (draw(base_sampler, stories.tokens(4), 1, top_k=1, seed=3).sequences,)
    assert top[0].tokens == first.sequences[0].tokens


@call("sample: temperature scales log-probabilities")
def test_temperature_rule(base_sampler):
    ids = stories.tokens(6)
    found = {}
    for seed in range(12):
        sequence = draw(base_sampler, ids, 1, temperature=2.0, max_tokens=1, seed=seed).sequences[0]
        found[sequence.tokens[0]] = sequence.logprobs[0]
    assert len(found) > 2
    plain = {token: base_sampler.compute_logprobs(stories.prompt(ids + [token])).result()[-1] for token in found}
    first, *others = found
    for other in others:
        assert found[first] - found[other] == pytest.approx((plain[first] - plain[other]) / 2.0, abs=1e-4)


@call("sample: top_p, top_k")
def test_nucleus(base_sampler):
    ids = stories.tokens(5)
    greedy = draw(base_sampler, ids, 1, temperature=0.0, max_tokens=1).sequences[0].tokens
    assert all(draw(base_sampler, ids, 1, top_p=1e-6, max_tokens=1, seed=s).sequences[0].tokens == greedy for s in range(4))
    allowed = {draw(base_sampler, ids, 1, top_k=2, max_tokens=1, seed=s).sequences[0].tokens[0] for s in range(16)}
    assert len(allowed) <= 2 and greedy[0] in allowed


@call("sample: stop token ids")
def test_stop_token(base_sampler):
    ids = stories.tokens(5)
    whole = draw(base_sampler, ids, 1, temperature=0.0, max_tokens=10).sequences[0].tokens
    stopped = draw(base_sampler, ids, 1, temperature=0.0, max_tokens=10, stop=[whole[2]]).sequences[0]
    assert stopped.tokens == whole[:whole.index(whole[2]) + 1] and stopped.stop_reason == "stop"


@call("sample: stop texts")
@pytest.mark.parametrize("many", [False, True])
def test_stop_text(base_sampler, many):
    tokenizer = base_sampler.get_tokenizer()
    ids = tokenizer.encode("Once upon a time, there was a little girl named Lily.")
    whole = draw(base_sampler, ids, 1, temperature=0.0, max_tokens=60).sequences[0].tokens
    text = tokenizer.decode(whole)
    assert ". " in text
    sequence = draw(base_sampler, ids, 1, temperature=0.0, max_tokens=60, stop=["zzz", ". "] if many else ". ").sequences[0]
    assert sequence.stop_reason == "stop" and whole[:len(sequence.tokens)] == sequence.tokens
    assert ". " in tokenizer.decode(sequence.tokens) and ". " not in tokenizer.decode(sequence.tokens[:-1])


@call("sample: stop=[] runs to max_tokens", since=(0, 28))
def test_no_stop_at_all(base_sampler):
    ids = base_sampler.get_tokenizer().encode("The end.")
    for seed in range(3):
        sequence = draw(base_sampler, ids, 1, stop=[], max_tokens=100, seed=seed).sequences[0]
        assert len(sequence.tokens) == 100 and sequence.stop_reason == "length"


@call("sample: max_tokens absent")
def test_without_max_tokens_up_to_the_context(base_sampler):
    answer = draw(base_sampler, stories.tokens(200), 1, max_tokens=None, seed=1).sequences[0]
    assert len(answer.tokens) == 56 and answer.stop_reason == "length" or answer.tokens[-1] == 0


@call("sample: max_tokens beyond the context is cut")
def test_more_than_the_context_holds(base_sampler):
    answer = draw(base_sampler, stories.tokens(250), 1, max_tokens=50, seed=1).sequences[0]
    assert len(answer.tokens) <= 6 and (len(answer.tokens) == 6 or answer.stop_reason == "stop")


@call("sample: include_prompt_logprobs")
def test_prompt_log_probabilities(base_sampler):
    ids = stories.tokens(9)
    answer = draw(base_sampler, ids, 1, {"include_prompt_logprobs": True})
    alone = base_sampler.compute_logprobs(stories.prompt(ids)).result()
    assert len(alone) == 9 and alone[0] is None and list(answer.prompt_logprobs) == list(alone)


@call("sample: topk_prompt_logprobs")
def test_top_k_of_the_prompt(base_sampler):
    ids = stories.tokens(6)
    answer = draw(base_sampler, ids, 1, {"include_prompt_logprobs": True, "topk_prompt_logprobs": 3})
    rows = answer.topk_prompt_logprobs
    assert len(rows) == 6 and rows[0] is None
    for position, row in enumerate(rows[1:], 1):
        values = [value for _, value in row]
        assert len(row) == 3 and values == sorted(values, reverse=True)
        assert answer.prompt_logprobs[position] <= values[0]
    last = draw(base_sampler, ids[:-1], 1, temperature=0.0, max_tokens=1).sequences[0]
    assert rows[-1][0][0] == last.tokens[0] and rows[-1][0][1] == pytest.approx(last.logprobs[0], abs=1e-6)


@call("sample: topk_sample_logprobs", since=(0, 29))
def test_top_k_of_the_sample(base_sampler):
    sequence = draw(base_sampler, stories.tokens(4), 1, {"topk_sample_logprobs": 4}, temperature=0.0, max_tokens=3).sequences[0]
    assert len(sequence.topk_logprobs) == len(sequence.tokens)
    for token, value, row in zip(sequence.tokens, sequence.logprobs, sequence.topk_logprobs):
        assert row[0][0] == token and row[0][1] == pytest.approx(value, abs=1e-6)
        assert [v for _, v in row] == sorted((v for _, v in row), reverse=True) and len(row) == 4


@call("sample: target_prompt_logprobs", since=(0, 30))
def test_target_log_probabilities(base_sampler):
    ids = stories.tokens(5)
    targets = np.array([[ids[i + 1], 7, -1] for i in range(4)], dtype=np.int64)
    answer = draw(base_sampler, ids, 1, {"target_prompt_logprobs": types.TensorData.from_numpy(targets)}, max_tokens=1)
    found = np.asarray(answer.target_prompt_logprobs.to_numpy())
    assert found.shape == (4, 3) and (found[:, 2] == 0).all() and (found[:, 1] < 0).all()
    alone = base_sampler.compute_logprobs(stories.prompt(ids)).result()
    assert [float(x) for x in found[:, 0]] == [float(np.float32(x)) for x in alone[1:]]


@call("sample: prompt_alt_tokens_k", since=(0, 31))
def test_alternative_tokens(base_sampler):
    answer = draw(base_sampler, stories.tokens(5), 1, {"prompt_alt_tokens_k": 2}, max_tokens=1, seed=4)
    tokens = np.asarray(answer.prompt_alt_tokens.tokens.to_numpy())
    values = np.asarray(answer.prompt_alt_tokens.logprobs.to_numpy())
    assert tokens.shape == values.shape == (4, 2)
    assert (0 <= tokens).all() and (tokens < stories.VOCABULARY).all() and (values <= 0).all() and np.isfinite(values).all()


@call("sample: prompt_logprobs_last_n", since=(0, 33))
def test_last_n(base_sampler):
    ids = stories.tokens(9)
    whole = base_sampler.compute_logprobs(stories.prompt(ids)).result()
    tail = base_sampler.compute_logprobs(stories.prompt(ids), prompt_logprobs_last_n=3).result()
    assert tail[:6] == [None] * 6 and tail[6:] == whole[6:]


@call("compute_logprobs")
def test_sampled_log_probability_is_the_prompt_log_probability(base_sampler):
    ids = stories.tokens(4)
    sequence = draw(base_sampler, ids, 1, seed=9, max_tokens=10).sequences[0]
    scored = base_sampler.compute_logprobs(stories.prompt(ids + list(sequence.tokens))).result()[4:]
    assert [np.float32(x) for x in scored] == [np.float32(x) for x in sequence.logprobs]


@call("save_weights_and_get_sampling_client (ephemeral)")
def test_an_ephemeral_sampler_is_frozen(trainer):
    ids = stories.tokens(9)
    train = lambda: (trainer.forward_backward([stories.supervised()], "cross_entropy").result(),  # noqa: E731
                     trainer.optim_step(tinker.AdamParams(learning_rate=1e-2)).result())
    train()
    sampler = done(trainer.save_weights_and_get_sampling_client())
    before = sampler.compute_logprobs(stories.prompt(ids)).result()
    datum = types.Datum(model_input=stories.prompt(ids[:-1]), loss_fn_inputs={"target_tokens": ids[1:], "weights": [1.0] * 8})
    trained = stories.log_probs(trainer.forward([datum], "cross_entropy").result())[0]
    assert trained.astype(np.float32).tobytes() == np.asarray(before[1:], dtype=np.float32).tobytes()
    train()
    assert sampler.compute_logprobs(stories.prompt(ids)).result() == before
    assert done(trainer.save_weights_and_get_sampling_client()).compute_logprobs(stories.prompt(ids)).result() != before


@call("save_weights_for_sampler (named), create_sampling_client(model_path)")
def test_a_named_sampler(trainer, service):
    path = trainer.save_weights_for_sampler("s1", ttl_seconds=3600).result().path
    assert path == f"tinker://{trainer.model_id}/sampler_weights/s1"
    by_service = done(service.create_sampling_client(model_path=path))
    by_trainer = done(trainer.create_sampling_client(path))
    ids = stories.tokens(5)
    assert by_service.compute_logprobs(stories.prompt(ids)).result() == by_trainer.compute_logprobs(stories.prompt(ids)).result()
    assert by_service.get_base_model() == MODEL


@call("save_weights_and_get_sampling_client: kind=inflight", since=(0, 38))
def test_an_inflight_sampler(trainer):
    sampler = done(trainer.save_weights_and_get_sampling_client(kind="inflight"))
    assert draw(sampler, stories.tokens(4)).sequences[0].tokens


@call("get_sampler")
def test_get_sampler(trainer, service, rest):
    path = trainer.save_weights_for_sampler("s2").result().path
    sampler = done(service.create_sampling_client(model_path=path))
    found = rest.get_sampler(sampler._sampling_session_id).result()
    assert found.base_model == MODEL and found.model_path == path


@call("sampler handle in another client", since=(0, 38))
def test_sampler_handle(base_sampler):
    other = tinker.SamplingClient.from_sampler_handle(base_sampler.get_sampler_handle(), api_key=KEY)
    ids = stories.tokens(5)
    assert other.compute_logprobs(stories.prompt(ids)).result() == base_sampler.compute_logprobs(stories.prompt(ids)).result()


@call("many samples at once")
def test_two_hundred_samples_at_once(base_sampler):
    params = types.SamplingParams(max_tokens=6)
    futures = [base_sampler.sample(stories.prompt(stories.tokens(4, seed)), 1, params) for seed in range(200)]
    assert all(1 <= len(future.result().sequences[0].tokens) <= 6 for future in futures)


@call("record_stability_info", since=(0, 35))
def test_stability_info_is_tolerated(service):
    sampler = done(service.create_sampling_client(base_model=MODEL, record_stability_info=True))
    assert draw(sampler, stories.tokens(4)).sequences[0].tokens


@call("bad sample requests are refused by name")
@pytest.mark.parametrize("ids, params, text", [
    ([5, 2048], {}, "2048"),
    ([5] * 300, {}, "256|context"),
    ([5, 6], {"max_tokens": 0}, "max_tokens"),
    ([5, 6], {"temperature": -1.0}, "temperature"),
    ([5, 6], {"top_p": 1.5}, "top_p"),
    ([5, 6], {"stop": [-1]}, "stop")])
def test_bad_samples(base_sampler, ids, params, text):
    with pytest.raises(Exception, match=text):
        draw(base_sampler, ids, 1, **params)
    assert draw(base_sampler, [5, 6]).sequences


@call("unknown base model")
def test_unknown_model(service):
    with pytest.raises(Exception, match="no/such"):
        done(service.create_sampling_client(base_model="no/such")).sample(
            stories.prompt([5]), 1, types.SamplingParams(max_tokens=1)).result()


def submit(http, sampler, seq, **fields):
    body = {"num_samples": 1, "prompt": {"chunks": [{"tokens": [5, 6], "type": "encoded_text"}]},
            "sampling_params": {"max_tokens": 4}, "sampling_session_id": sampler, "seq_id": seq, "type": "sample", **fields}
    return http.post("/api/v1/asample", json=body)


@pytest.fixture
def sampler_id(http):
    session = http.post("/api/v1/create_session", json={"tags": [], "user_metadata": {}, "sdk_version": "0.38.0"}).json()
    body = {"session_id": session["session_id"], "sampling_session_seq_id": 0, "base_model": MODEL}
    return http.post("/api/v1/create_sampling_session", json=body).json()["sampling_session_id"]


@call("asample: sequence ids, retries (wire)")
def test_a_retry_gets_the_first_answer(http, sampler_id):
    first, again = (submit(http, sampler_id, 7, num_samples=3).json() for _ in range(2))
    assert first == again and len(set(first["sample_sequence_ids"])) == 3
    large = submit(http, sampler_id, 5 * 10**17)
    assert finish(http, large).status_code == 200


@call("cancel_future (wire)")
def test_cancel(http, sampler_id):
    answer = submit(http, sampler_id, 1, sampling_params={"max_tokens": 200, "stop": []})
    for _ in range(2):
        cancelled = http.post("/api/v1/cancel_future", json={"request_id": answer.json()["request_id"]})
        assert cancelled.status_code // 100 == 2
    result = finish(http, answer)
    assert result.status_code in (200, 410)


@call("join_sampling_session (wire)")
def test_join(http, sampler_id):
    body = {"sampling_session_id": sampler_id, "type": "join_sampling_session"}
    counters = [http.post("/api/v1/join_sampling_session", json=body).json()["client_counter"] for _ in range(3)]
    assert counters == [1, 2, 3]


@call("retrieve_futures (wire)")
def test_retrieve_futures(http, sampler_id):
    wanted = {submit(http, sampler_id, seq).json()["request_id"] for seq in range(5)}
    cursor, found = 0, set()
    while not wanted <= found:
        body = {"target": {"type": "sampling_session", "sampling_session_id": sampler_id, "cloned_sampler_id": 0},
                "prev_cursor": cursor, "retrieved_request_ids": []}
        answer = http.post("/api/v1/retrieve_futures", json=body).json()
        assert answer["cursor"] > cursor or not answer["completions"]
        cursor = answer["cursor"]
        found |= {c["request_id"] for c in answer["completions"] if c["state"] == "finished"}
    assert found == wanted
    assert VERSION
