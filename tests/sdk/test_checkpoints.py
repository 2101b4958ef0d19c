"""Saving, loading, resuming, listing, publishing, ttl, deleting, copying and downloading checkpoints."""
import datetime
import io
import json
import tarfile
import urllib.request

import numpy as np
import pytest
import tinker

import stories
from conftest import MODEL, VERSION, done

call = pytest.mark.call
DATA = [stories.supervised(8, seed) for seed in range(2)]


def step(model):
    loss = model.forward_backward(DATA, "cross_entropy").result().metrics["loss:sum"]
    model.optim_step(tinker.AdamParams(learning_rate=1e-2)).result()
    return loss


def state(model):
    return stories.log_probs(model.forward(DATA, "cross_entropy").result())[0].tobytes()


@call("save_state, load_state_with_optimizer")
def test_load_with_optimizer_goes_on_to_the_same_bits(trainer):
    step(trainer)
    path = trainer.save_state("here").result().path
    saved = state(trainer)
    after = [step(trainer) for _ in range(3)]
    trainer.load_state_with_optimizer(path).result()
    assert state(trainer) == saved
    assert [step(trainer) for _ in range(3)] == after


@call("load_state (without optimizer)")
def test_load_without_optimizer_resets_it(trainer):
    step(trainer)
    path = trainer.save_state("there").result().path
    saved = state(trainer)
    after = [step(trainer) for _ in range(3)]
    trainer.load_state(path).result()
    assert state(trainer) == saved
    assert [step(trainer) for _ in range(3)] != after


@call("create_training_client_from_state(_with_optimizer)")
@pytest.mark.parametrize("optimizer", [True, False])
def test_resume_in_a_new_run(service, trainer, optimizer):
    step(trainer)
    path = trainer.save_state("resume").result().path
    name = "create_training_client_from_state" + ("_with_optimizer" if optimizer else "")
    other = done(getattr(service, name)(path))
    info = other.get_info()
    assert other.model_id != trainer.model_id and info.lora_rank == 4 and info.model_data.model_name == MODEL
    assert state(other) == state(trainer)
    first, second = [step(other) for _ in range(3)], [step(trainer) for _ in range(3)]
    assert (first == second) == optimizer


@call("save_state: overwrite")
def test_a_name_is_not_overwritten_unasked(trainer):
    trainer.save_state("once").result()
    with pytest.raises(Exception, match="once"):
        trainer.save_state("once").result()
    step(trainer)
    if VERSION >= (0, 26):
        path = trainer.save_state("once", overwrite=True).result().path
        saved = state(trainer)
        step(trainer)
        trainer.load_state(path).result()
        assert state(trainer) == saved


@call("listings: runs and checkpoints")
def test_listings(trainer, rest):
    step(trainer)
    for name in ("000001", "000002"):
        trainer.save_state(name).result()
        trainer.save_weights_for_sampler(name).result()
    found = rest.list_checkpoints(trainer.model_id).result().checkpoints
    assert sorted(c.checkpoint_id for c in found) == ["sampler_weights/000001", "sampler_weights/000002", "weights/000001",
                                                      "weights/000002"]
    assert {c.checkpoint_type for c in found} == {"training", "sampler"}
    for checkpoint in found:
        assert checkpoint.tinker_path == f"tinker://{trainer.model_id}/{checkpoint.checkpoint_id}"
        assert checkpoint.size_bytes > 1000 and not checkpoint.public and checkpoint.time.tzinfo
    run = rest.get_training_run(trainer.model_id).result()
    assert (run.training_run_id, run.base_model, run.is_lora, run.lora_rank) == (trainer.model_id, MODEL, True, 4)
    assert run.last_checkpoint.checkpoint_id == "weights/000002" and not run.corrupted
    assert run.last_sampler_checkpoint.checkpoint_id == "sampler_weights/000002"
    assert rest.get_training_run_by_tinker_path(found[0].tinker_path).result().training_run_id == trainer.model_id
    newest = rest.list_user_checkpoints(limit=2).result()
    assert len(newest.checkpoints) == 2 and newest.cursor.total_count >= 4
    assert newest.checkpoints[0].time >= newest.checkpoints[1].time


@call("list_training_runs: pages")
def test_pages_of_runs(rest, trainer):
    whole = rest.list_training_runs(limit=100).result()
    assert trainer.model_id in [run.training_run_id for run in whole.training_runs]
    first, second = (rest.list_training_runs(limit=1, offset=offset).result() for offset in (0, 1))
    assert [first.training_runs[0].training_run_id] == [whole.training_runs[0].training_run_id]
    if whole.cursor.total_count > 1:
        assert second.training_runs[0].training_run_id == whole.training_runs[1].training_run_id
    assert (first.cursor.offset, first.cursor.limit, first.cursor.total_count) == (0, 1, whole.cursor.total_count)


@call("user_metadata of runs and checkpoints", since=(0, 28))
def test_metadata(service, rest):
    model = done(service.create_lora_training_client(base_model=MODEL, rank=2, user_metadata={"renderer_name": "role_colon"}))
    model.save_state("m", user_metadata={"step": "12"}).result()
    assert rest.get_training_run(model.model_id).result().user_metadata == {"renderer_name": "role_colon"}
    (checkpoint,) = rest.list_checkpoints(model.model_id).result().checkpoints
    assert checkpoint.user_metadata == {"step": "12"}


@call("publish, unpublish (idempotent)")
def test_publish(trainer, rest):
    path = trainer.save_state("pub").result().path
    public = lambda: rest.list_checkpoints(trainer.model_id).result().checkpoints[0].public  # noqa: E731
    for _ in range(2):
        rest.publish_checkpoint_from_tinker_path(path).result()
        assert public()
    for _ in range(2):
        rest.unpublish_checkpoint_from_tinker_path(path).result()
        assert not public()


@call("set_checkpoint_ttl")
def test_ttl(trainer, rest):
    path = trainer.save_state("ttl", ttl_seconds=7200).result().path
    expires = lambda: rest.list_checkpoints(trainer.model_id).result().checkpoints[0].expires_at  # noqa: E731
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((expires() - now).total_seconds() - 7200) < 60
    rest.set_checkpoint_ttl_from_tinker_path(path, 3600).result()
    assert abs((expires() - now).total_seconds() - 3600) < 60
    rest.set_checkpoint_ttl_from_tinker_path(path, None).result()
    assert expires() is None
    with pytest.raises(tinker.APIStatusError):
        rest.set_checkpoint_ttl_from_tinker_path(path, -5).result()


@call("delete_checkpoint")
def test_delete(trainer, rest):
    trainer.save_state("a").result()
    path = trainer.save_state("b").result().path
    rest.delete_checkpoint(trainer.model_id, "weights/a").result()
    rest.delete_checkpoint_from_tinker_path(path).result()
    assert rest.list_checkpoints(trainer.model_id).result().checkpoints == []
    with pytest.raises(tinker.NotFoundError):
        rest.delete_checkpoint(trainer.model_id, "weights/never").result()


@call("copy_weights", since=(0, 34))
def test_copy(trainer, rest, service):
    step(trainer)
    path = trainer.save_state("original").result().path
    copy = rest.copy_weights(path, destination_project_id="project-2").result()
    assert copy in [c.tinker_path for c in rest.list_user_checkpoints().result().checkpoints]
    assert len(rest.list_training_runs(project_id="project-2").result().training_runs) == 1
    assert copy.startswith("tinker://") and copy != path
    rest.delete_checkpoint_from_tinker_path(path).result()
    other = done(service.create_training_client_from_state(copy))
    assert state(other) == state(trainer)


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


@call("get_checkpoint_archive_url", until=(0, 36))
def test_archive(trainer, rest):
    step(trainer)
    path = trainer.save_weights_for_sampler("tar").result().path
    answer = rest.get_checkpoint_archive_url_from_tinker_path(path).result()
    assert answer.expires > datetime.datetime.now(answer.expires.tzinfo)
    with tarfile.open(fileobj=io.BytesIO(fetch(answer.url))) as archive:
        assert sorted(archive.getnames()) == ["adapter_config.json", "adapter_model.safetensors", "checkpoint_complete"]
        config = json.load(archive.extractfile("adapter_config.json"))
    assert config["r"] == 4 and config["lora_alpha"] > 0


@call("save_weights_external, get_external_weights_urls", since=(0, 28))
def test_external_weights(trainer, rest):
    step(trainer)
    path = trainer.save_weights_external("out").result().path
    assert path == f"tinker://{trainer.model_id}/external_weights/out"
    if VERSION < (0, 38):
        pytest.skip("the listing method is called otherwise before 0.38") if not hasattr(rest, "get_external_weights_urls") else None
    answer = rest.get_external_weights_urls(path).result()
    assert set(answer.urls) == {"adapter_config.json", "adapter_model.safetensors"}
    files = {name: fetch(url) for name, url in answer.urls.items()}
    assert json.loads(files["adapter_config.json"])["r"] == 4
    size = int.from_bytes(files["adapter_model.safetensors"][:8], "little")
    header = json.loads(files["adapter_model.safetensors"][8:8 + size])
    assert any(name.endswith("q_proj.lora_A.weight") for name in header)
    broken = next(iter(answer.urls.values()))[:-4] + "0000"
    with pytest.raises(urllib.error.HTTPError):
        fetch(broken)


@call("save_weights_external: age encryption", since=(0, 33))
def test_encrypted_external_weights(trainer, rest):
    pyrage = pytest.importorskip("pyrage", reason="the age package is not in this environment")
    identity = pyrage.x25519.Identity.generate()
    path = trainer.save_weights_external("sealed", age_encryption_recipients=[str(identity.to_public())]).result().path
    urls = rest.get_external_weights_urls(path).result().urls
    assert urls and all(name.endswith(".age") for name in urls)
    config = pyrage.decrypt(fetch(urls["adapter_config.json.age"]), [identity])
    assert json.loads(config)["r"] == 4
    with pytest.raises(Exception, match="age"):
        trainer.save_weights_external("bad", age_encryption_recipients=["age1nonsense"]).result()


@call("sessions: list, info, project")
def test_sessions(trainer, rest):
    session = trainer.model_id.split(":train:")[0]
    assert session in rest.list_sessions(limit=100).result().sessions
    found = rest.get_session(session).result()
    assert trainer.model_id in found.training_run_ids
    if hasattr(rest, "assign_session_project"):
        rest.assign_session_project(session, "project-1").result()
        runs = rest.list_training_runs(project_id="project-1").result().training_runs
        assert trainer.model_id in [run.training_run_id for run in runs]
    with pytest.raises(tinker.NotFoundError):
        rest.get_session("nobody").result()


@call("search_sessions", since=(0, 36))
def test_search(server, rest):
    from conftest import KEY
    client = tinker.ServiceClient(base_url=server.url, api_key=KEY, user_metadata={"colour": "teal"})
    model = done(client.create_lora_training_client(base_model=MODEL, rank=2))
    request = tinker.types.SessionSearchRequest(user_metadata={"colour": "teal"})
    found = rest.search_sessions(request).result().sessions
    assert [s.session_id for s in found] == [model.model_id.split(":train:")[0]]


@call("get_audit_log")
def test_audit_log(trainer, rest):
    if not hasattr(rest, "get_audit_log"):
        pytest.skip("this SDK has no audit log")
    path = trainer.save_state("audited").result().path
    rest.delete_checkpoint_from_tinker_path(path).result()
    entries = rest.get_audit_log("checkpoints").result().entries
    assert path in [entry.tinker_path for entry in entries]


@call("get_billing_usage")
def test_usage(trainer, rest):
    if not hasattr(rest, "get_billing_usage"):
        pytest.skip("this SDK has no usage report")
    step(trainer)
    now = datetime.datetime.now(datetime.timezone.utc)
    report = rest.get_billing_usage(now - datetime.timedelta(days=1), now + datetime.timedelta(hours=2)).result()
    session = trainer.model_id.split(":train:")[0]
    trained = [e for e in report.data if e.session_id == session and e.event_info.type == "training"]
    assert sum(e.event_info.token_count for e in trained) >= 16


@call("weights survive a restart of the server")
def test_restart(tmp_path):
    import serving
    from conftest import KEY
    server = serving.Server().start()
    try:
        client = tinker.ServiceClient(base_url=server.url, api_key=KEY)
        model = done(client.create_lora_training_client(base_model=MODEL, rank=4, seed=7))
        step(model)
        before = state(model)
        server.kill()
        server.start()
        assert state(model) == before
        assert step(model) > 0 and np.isfinite(step(model))
    finally:
        server.close()
