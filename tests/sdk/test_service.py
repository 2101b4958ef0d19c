"""Sessions, capabilities, creating models and asking about them."""
import pytest
import tinker

from conftest import KEY, MODEL, VERSION, done, finish

call = pytest.mark.call


@call("get_server_capabilities")
def test_capabilities_name_the_model_and_its_context(service, rest):
    answer = rest.get_server_capabilities().result() if VERSION >= (0, 38) else service.get_server_capabilities()
    model = next(m for m in answer.supported_models if m.model_name == MODEL)
    assert model.max_context_length == 256
    if hasattr(model, "trainable"):
        assert model.trainable and model.sampleable


@call("healthz (wire)")
def test_healthz(http):
    assert http.get("/api/v1/healthz").json() == {"status": "ok"}


@call("client/config, dynamic_config (wire)")
def test_client_config(http):
    config = http.post("/api/v1/client/config", json={"sdk_version": tinker.__version__})
    assert config.status_code == 200 and isinstance(config.json(), dict)
    assert http.post("/api/v1/client/dynamic_config", json={"sdk_version": tinker.__version__}).status_code == 200


@call("create_session with metadata and tags")
def test_session_metadata_comes_back(server, monkeypatch):
    monkeypatch.setenv("TINKER_TAGS", "red,blue")
    client = tinker.ServiceClient(base_url=server.url, api_key=KEY, user_metadata={"purpose": "test"})
    model = done(client.create_lora_training_client(base_model=MODEL, rank=2))
    session = model.get_info().model_id.split(":train:")[0]
    found = client.create_rest_client().get_session(session).result()
    assert found.training_run_ids == [model.model_id]
    if VERSION >= (0, 34):
        assert found.user_metadata == {"purpose": "test"}


@call("create_session with display_name", since=(0, 34))
def test_session_display_name(server):
    client = tinker.ServiceClient(base_url=server.url, api_key=KEY, display_name="a run of mine")
    model = done(client.create_lora_training_client(base_model=MODEL, rank=2))
    session = model.model_id.split(":train:")[0]
    assert client.create_rest_client().get_session(session).result().display_name == "a run of mine"


@call("create_lora_training_client")
@pytest.mark.parametrize("rank", [1, 4, 32])
def test_create_with_rank(service, rank):
    info = done(service.create_lora_training_client(base_model=MODEL, rank=rank)).get_info()
    assert info.is_lora and info.lora_rank == rank
    assert info.model_data.model_name == MODEL


@call("create_lora_training_client: seed")
def test_the_same_seed_trains_to_the_same_bits(service):
    import stories
    outcomes = []
    for seed in (11, 11, 12):
        model = done(service.create_lora_training_client(base_model=MODEL, rank=4, seed=seed))
        model.forward_backward([stories.supervised()], "cross_entropy").result()
        model.optim_step(tinker.AdamParams(learning_rate=1e-2)).result()
        model.forward_backward([stories.supervised()], "cross_entropy").result()
        model.optim_step(tinker.AdamParams(learning_rate=1e-2)).result()
        outcomes.append(stories.log_probs(model.forward([stories.supervised()], "cross_entropy").result())[0].tobytes())
    assert outcomes[0] == outcomes[1] != outcomes[2]


@call("create_lora_training_client: train_mlp, train_attn, train_unembed")
@pytest.mark.parametrize("flags", [(True, False, False), (False, True, False), (False, False, True)])
def test_create_with_flags(service, rest, flags):
    names = dict(zip(("train_mlp", "train_attn", "train_unembed"), flags))
    model = done(service.create_lora_training_client(base_model=MODEL, rank=2, **names))
    path = model.save_state("flags").result().path
    assert path == f"tinker://{model.model_id}/weights/flags"
    # Every SDK up to 0.36 asks for the flags when it resumes from this checkpoint.
    if hasattr(rest, "get_weights_info_by_tinker_path"):
        info = rest.get_weights_info_by_tinker_path(path).result()
        assert (info.train_mlp, info.train_attn, info.train_unembed) == flags
        assert info.base_model == MODEL and info.is_lora and info.lora_rank == 2


@call("create_lora_training_client: unknown model")
def test_unknown_base_model_is_named(service):
    with pytest.raises(Exception, match="no/such-model"):
        done(service.create_lora_training_client(base_model="no/such-model", rank=2))


@call("create_lora_training_client: rank out of range")
@pytest.mark.parametrize("rank", [0, -1, 100000])
def test_rank_out_of_range_is_refused(service, rank):
    with pytest.raises(Exception, match="rank"):
        done(service.create_lora_training_client(base_model=MODEL, rank=rank))


@call("create_lora_training_client: other optimizers are refused", since=(0, 30))
def test_an_optimizer_that_is_not_adamw_is_refused(service):
    with pytest.raises(Exception, match="dimuon"):
        done(service.create_lora_training_client(base_model=MODEL, rank=2, optimizer=tinker.DimuonOptimizerConfig()))


@call("get_tokenizer")
def test_tokenizers_of_trainer_and_sampler(trainer, base_sampler):
    for tokenizer in (trainer.get_tokenizer(), base_sampler.get_tokenizer()):
        ids = tokenizer.encode("Once upon a time")
        assert ids and tokenizer.decode(ids) == "Once upon a time"


@call("ServiceClient.close", since=(0, 28))
def test_close_finishes_the_session(server, http):
    client = tinker.ServiceClient(base_url=server.url, api_key=KEY)
    model = done(client.create_lora_training_client(base_model=MODEL, rank=2))
    session = model.model_id.split(":train:")[0]
    client.close("success").result()
    beat = http.post("/api/v1/session_heartbeat", json={"session_id": session, "type": "session_heartbeat"})
    assert beat.status_code == 410
    again = http.post(f"/api/v1/sessions/{session}/finish", json={"reason": {"type": "errored"}, "detail": None})
    assert again.status_code // 100 == 2


@call("session_heartbeat (wire)")
def test_heartbeat(http):
    session = http.post("/api/v1/create_session", json={"tags": [], "user_metadata": {}, "sdk_version": "0.38.0",
                                                        "type": "create_session"}).json()["session_id"]
    beat = http.post("/api/v1/session_heartbeat", json={"session_id": session, "type": "session_heartbeat"})
    assert beat.status_code == 200 and beat.json().get("type", "session_heartbeat") == "session_heartbeat"
    unknown = http.post("/api/v1/session_heartbeat", json={"session_id": "nobody", "type": "session_heartbeat"})
    assert 400 <= unknown.status_code < 500


@call("unload_model (wire)")
def test_unload_model(http, service):
    import stories
    model = done(service.create_lora_training_client(base_model=MODEL, rank=2))
    result = finish(http, http.post("/api/v1/unload_model", json={"model_id": model.model_id, "type": "unload_model"}))
    assert result.json()["model_id"] == model.model_id
    with pytest.raises(Exception, match="unload"):
        model.forward([stories.supervised()], "cross_entropy").result()


@call("telemetry (wire)")
def test_telemetry_is_accepted(http):
    event = {"event": "SESSION_START", "event_id": "e", "event_session_index": 0, "severity": "INFO",
             "timestamp": "2026-01-01T00:00:00Z"}
    batch = {"events": [event], "platform": "Linux", "sdk_version": "0.38.0", "session_id": "s"}
    answer = http.post("/api/v1/telemetry", json=batch)
    assert answer.status_code == 200 and answer.json()["status"] == "accepted"


@call("unknown paths are 404 with a body (wire)")
def test_unknown_path(http):
    answer = http.get("/api/v1/no_such_thing")
    assert answer.status_code == 404 and answer.json()["detail"]


@call("transports httpx and pyqwest")
@pytest.mark.parametrize("pyqwest", [False, True])
def test_both_transports(server, monkeypatch, pyqwest):
    import stories
    import tinker._base_client as base
    client_class = next(value for name, value in vars(base).items()
                        if isinstance(value, type) and name in ("AsyncAPIClient",))
    original = client_class.__init__
    seen = []

    def forced(self, **options):
        if "use_pyqwest" in options:
            options["use_pyqwest"] = pyqwest
            seen.append(pyqwest)
        original(self, **options)

    monkeypatch.setattr(client_class, "__init__", forced)
    client = tinker.ServiceClient(base_url=server.url, api_key=KEY + "-transport")
    model = done(client.create_lora_training_client(base_model=MODEL, rank=2, seed=1))
    assert stories.log_probs(model.forward_backward([stories.supervised()], "cross_entropy").result())[0].shape == (8,)
    assert seen
