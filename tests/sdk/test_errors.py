"""Bad input: what the user of the SDK reads, and that the model goes on as if nothing had happened."""
import numpy as np
import pytest
import tinker
from tinker import types

import stories
from conftest import done

call = pytest.mark.call


def datum(ids, **inputs):
    return types.Datum(model_input=stories.prompt(ids), loss_fn_inputs=inputs)


BAD = {
    "unknown loss": (lambda: [stories.supervised()], "no_such_loss", "no_such_loss"),
    "missing weights of a loss": (lambda: [datum(stories.tokens(3), target_tokens=stories.tokens(3))], "importance_sampling",
                                  "logprobs|advantages"),
    "lengths differ": (lambda: [datum(stories.tokens(4), target_tokens=stories.tokens(3), weights=[1.0] * 3)], "cross_entropy",
                       "target_tokens|weights"),
    "weights of another length": (lambda: [datum(stories.tokens(4), target_tokens=stories.tokens(4), weights=[1.0] * 3)],
                                  "cross_entropy", "weights"),
    "token id too large": (lambda: [datum([5, 2048, 6], target_tokens=[1, 2, 3], weights=[1.0] * 3)], "cross_entropy", "2048"),
    "token id negative": (lambda: [datum([5, -1, 6], target_tokens=[1, 2, 3], weights=[1.0] * 3)], "cross_entropy", "-1"),
    "target id too large": (lambda: [datum([5, 6], target_tokens=[1, 99999], weights=[1.0] * 2)], "cross_entropy", "99999"),
    "longer than the context": (lambda: [stories.supervised(300)], "cross_entropy", "256|context"),
    "weight NaN": (lambda: [stories.supervised(4, 0, [1.0, float("nan"), 1.0, 1.0])], "cross_entropy", "weights"),
    "advantage NaN": (lambda: [datum([5, 6], target_tokens=[6, 7], logprobs=[-1.0, -1.0], advantages=[1.0, float("nan")])],
                      "importance_sampling", "advantages"),
    "advantage infinite": (lambda: [datum([5, 6], target_tokens=[6, 7], logprobs=[-1.0, -1.0], advantages=[1.0, float("inf")])],
                           "ppo", "advantages"),
    "empty sequence": (lambda: [datum([], target_tokens=[], weights=[])], "cross_entropy", "empty|token"),
}


@call("bad forward_backward input: category user, state untouched")
@pytest.mark.parametrize("case", BAD)
def test_bad_data(trainer, case):
    make, loss, text = BAD[case]
    good = [stories.supervised()]
    before = stories.log_probs(trainer.forward(good, "cross_entropy").result())[0]
    with pytest.raises(tinker.RequestFailedError, match=text) as failure:
        trainer.forward_backward(make(), loss).result()
    assert "user" in str(getattr(failure.value, "category", failure.value)).lower()
    # Nothing of the failed request was added to the gradient: a step changes nothing, and the next request is fine.
    trainer.optim_step(tinker.AdamParams(learning_rate=1.0)).result()
    after = stories.log_probs(trainer.forward_backward(good, "cross_entropy").result())[0]
    assert before.tobytes() == after.tobytes()


@call("images are refused")
def test_images_are_refused(trainer):
    image = types.ImageChunk(data=b"\x89PNG", format="png", expected_tokens=2)
    chunks = [types.EncodedTextChunk(tokens=[5, 6]), image]
    mixed = types.Datum(model_input=types.ModelInput(chunks=chunks),
                        loss_fn_inputs={"target_tokens": [1, 2, 3, 4], "weights": [1.0] * 4})
    with pytest.raises(Exception, match="image"):
        trainer.forward_backward([mixed], "cross_entropy").result()


@call("load_state: unknown and deleted checkpoints")
def test_deleted_checkpoint(trainer, rest):
    path = trainer.save_state("short-lived").result().path
    rest.delete_checkpoint_from_tinker_path(path).result()
    for gone in (path, f"tinker://{trainer.model_id}/weights/never"):
        with pytest.raises(Exception, match="no such checkpoint"):
            trainer.load_state(gone).result()


@call("sample from a deleted checkpoint")
def test_sampler_of_a_deleted_checkpoint(trainer, service, rest):
    path = trainer.save_weights_for_sampler("gone").result().path
    rest.delete_checkpoint_from_tinker_path(path).result()
    with pytest.raises(tinker.APIStatusError):
        done(service.create_sampling_client(model_path=path))


@call("names of checkpoints are checked")
@pytest.mark.parametrize("name", ["../up", "a/b", "..", "", "x" * 256, "näme", "a b"])
def test_bad_checkpoint_names(trainer, name):
    with pytest.raises(Exception, match="name|path"):
        trainer.save_state(name).result()
    assert trainer.save_state("fine-1.0_x").result().path.endswith("/weights/fine-1.0_x")


@call("malformed bodies are refused (wire)")
@pytest.mark.parametrize("path, body, content_type", [
    ("forward_backward", b"\x0a\xff\xff\xff\xff\x0f", "application/x-protobuf"),
    ("optim_step", b"{", "application/json"),
    ("asample", b"[]", "application/json"),
    ("create_model", b'{"session_id": 5}', "application/json"),
    ("retrieve_future", b'{"request_id": "nobody"}', "application/json")])
def test_malformed_bodies(http, path, body, content_type):
    answer = http.post(f"/api/v1/{path}", content=body, headers={"Content-Type": content_type})
    assert 400 <= answer.status_code < 500 and answer.json()["detail"]


@call("zstd and gzip bodies (wire)")
def test_compressed_bodies(http):
    import gzip
    import zstandard
    body = b'{"tags": [], "user_metadata": {}, "sdk_version": "0.38.0"}'
    for coding, packed in (("gzip", gzip.compress(body)), ("zstd", zstandard.compress(body))):
        headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
        answer = http.post("/api/v1/create_session", content=packed, headers=headers)
        assert answer.status_code == 200, (coding, answer.text)
    bad = http.post("/api/v1/create_session", content=b"nonsense", headers={"Content-Encoding": "zstd"})
    assert 400 <= bad.status_code < 500 and bad.json()["detail"]


@call("another key's run, checkpoint and sampler are 404")
def test_ownership(keyed):
    from conftest import MODEL
    clients = {owner: tinker.ServiceClient(base_url=keyed.url, api_key=key) for owner, key in keyed.keys.items()}
    model = done(clients["alice"].create_lora_training_client(base_model=MODEL, rank=2))
    saved = model.save_state("mine").result().path
    sampler = model.save_weights_for_sampler("mine").result().path
    rest = clients["bob"].create_rest_client()
    for attempt in (lambda: rest.get_training_run(model.model_id).result(),
                    lambda: rest.list_checkpoints(model.model_id).result(),
                    lambda: rest.delete_checkpoint_from_tinker_path(saved).result(),
                    lambda: done(clients["bob"].create_sampling_client(model_path=sampler))):
        with pytest.raises(tinker.NotFoundError):
            attempt()
    with pytest.raises(Exception):
        done(clients["bob"].create_training_client_from_state(saved))
    assert rest.list_training_runs().result().training_runs == []
    assert len(clients["alice"].create_rest_client().list_checkpoints(model.model_id).result().checkpoints) == 2


@call("a wrong key is refused")
def test_wrong_key(keyed):
    from conftest import MODEL
    with pytest.raises(Exception, match="401|[Aa]uthentication|key"):
        done(tinker.ServiceClient(base_url=keyed.url, api_key="tml-wrong").create_lora_training_client(base_model=MODEL, rank=2))


@call("published checkpoints can be read with another key")
def test_published_checkpoint(keyed):
    from conftest import MODEL
    alice, bob = (tinker.ServiceClient(base_url=keyed.url, api_key=keyed.keys[owner]) for owner in ("alice", "bob"))
    model = done(alice.create_lora_training_client(base_model=MODEL, rank=2))
    path = model.save_weights_for_sampler("shared").result().path
    alice.create_rest_client().publish_checkpoint_from_tinker_path(path).result()
    sampler = done(bob.create_sampling_client(model_path=path))
    answer = sampler.sample(stories.prompt([5, 6]), 1, types.SamplingParams(max_tokens=2)).result()
    assert len(answer.sequences[0].tokens) >= 1 and np.isfinite(answer.sequences[0].logprobs).all()
