"""The `tinker` command against the server."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

from conftest import KEY, MODEL, VERSION

call = pytest.mark.call
COMMAND = pathlib.Path(sys.executable).parent / "tinker"


@pytest.fixture
def cli(server):
    def run(*arguments, status=0, cwd=None, key=KEY):
        environment = {**os.environ, "TINKER_BASE_URL": server.url, "TINKER_API_KEY": key, "TINKER_TELEMETRY": "0"}
        result = subprocess.run([COMMAND, "--format", "json", *map(str, arguments)], capture_output=True, text=True, cwd=cwd,
                                env=environment)
        assert result.returncode == status, result.stdout + result.stderr
        return json.loads(result.stdout) if result.stdout.strip().startswith(("{", "[")) else result.stdout
    return run


@pytest.fixture(scope="module")
def saved(service):
    from conftest import done
    model = done(service.create_lora_training_client(base_model=MODEL, rank=2))
    paths = {"weights": model.save_state("cli").result().path, "sampler": model.save_weights_for_sampler("cli").result().path}
    return model.model_id, paths


@call("tinker run list")
def test_run_list(cli, saved):
    assert saved[0] in json.dumps(cli("run", "list", "--limit", 0))


@call("tinker run info")
def test_run_info(cli, saved):
    assert MODEL in json.dumps(cli("run", "info", saved[0]))
    cli("run", "info", "nobody:train:0", status=1)


@call("tinker checkpoint list")
def test_checkpoint_list(cli, saved):
    for arguments in (["--run-id", saved[0]], ["--limit", 0]):
        text = json.dumps(cli("checkpoint", "list", *arguments))
        assert saved[1]["weights"] in text and saved[1]["sampler"] in text


@call("tinker checkpoint info")
def test_checkpoint_info(cli, saved):
    assert saved[1]["weights"] in json.dumps(cli("checkpoint", "info", saved[1]["weights"]))


@call("tinker checkpoint publish, unpublish")
def test_publish(cli, saved, rest):
    cli("checkpoint", "publish", saved[1]["weights"])
    assert [c.public for c in rest.list_checkpoints(saved[0]).result().checkpoints if "/weights/" in c.tinker_path] == [True]
    cli("checkpoint", "unpublish", saved[1]["weights"])


@call("tinker checkpoint set-ttl")
def test_set_ttl(cli, saved):
    cli("checkpoint", "set-ttl", saved[1]["weights"], "--ttl", 7200)
    cli("checkpoint", "set-ttl", saved[1]["weights"], "--remove")


@call("tinker checkpoint download")
def test_download(cli, saved, tmp_path):
    # Up to 0.35 the tar of a sampler checkpoint, later the external weights of a training checkpoint.
    path = saved[1]["weights" if VERSION >= (0, 36) else "sampler"]
    cli("checkpoint", "download", path, "-o", tmp_path)
    found = {file.name for file in tmp_path.rglob("*") if file.is_file()}
    assert {"adapter_config.json", "adapter_model.safetensors"} <= found


@call("tinker checkpoint delete")
def test_delete(cli, service):
    from conftest import done
    model = done(service.create_lora_training_client(base_model=MODEL, rank=2))
    first = model.save_state("one").result().path
    model.save_state("two").result()
    model.save_weights_for_sampler("two").result()
    cli("checkpoint", "delete", first, "-y")
    listed = json.dumps(cli("checkpoint", "list", "--run-id", model.model_id))
    assert first not in listed and "weights/two" in listed
    if VERSION >= (0, 26):
        cli("checkpoint", "delete", "--run-id", model.model_id, "-y")
        assert "weights/two" not in json.dumps(cli("checkpoint", "list", "--run-id", model.model_id))


@call("tinker model list", since=(0, 34))
def test_model_list(cli):
    assert MODEL in json.dumps(cli("model", "list"))


@call("tinker auth status", since=(0, 26))
def test_auth_status(cli):
    cli("auth", "status")


@call("tinker billing usage")
def test_billing_usage(cli, saved):
    cli("billing", "usage", "2026-01-01", "2099-01-01")


@call("tinker billing checkpoint-storage", since=(0, 32))
def test_checkpoint_storage(cli, saved):
    cli("billing", "checkpoint-storage")


@call("tinker session export-trace")
def test_export_trace(cli, saved, tmp_path):
    session = saved[0].split(":train:")[0]
    cli("session", "export-trace", session, "-o", tmp_path / "trace.json")
    assert (tmp_path / "trace.json").stat().st_size > 0
