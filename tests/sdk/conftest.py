"""What all SDK tests share: the server, a service client, a fresh model, and the record of which call worked."""
import os
import signal

import pytest

import matrix
import serving
from serving import MODEL

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.chdir(serving.ROOT)  # the model's name is then a folder that the SDK finds a tokenizer in

import tinker  # noqa: E402

VERSION = tuple(int(part) for part in tinker.__version__.split("."))
KEY = "tml-test"
SECONDS = int(os.environ.get("HEARTH_SDK_SECONDS", "300"))


def pytest_configure(config):
    config.addinivalue_line("markers", "call(name, since=, until=): the call that a test proves, and the SDKs that have it")
    config.report = matrix.Report(tinker.__version__)


def offered(mark):
    """Whether this SDK has the call: since <= version < until."""
    since, until = mark.kwargs.get("since", (0,)), mark.kwargs.get("until", (999,))
    return since <= VERSION < until


def pytest_collection_modifyitems(config, items):
    for item in items:
        marks = list(item.iter_markers("call"))
        if marks and not all(offered(mark) for mark in marks):
            item.add_marker(pytest.mark.skip(reason=f"not in tinker {tinker.__version__}"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" or report.outcome != "passed":
        for mark in item.iter_markers("call"):
            item.config.report.add(mark.args[0], report.outcome if offered(mark) else "absent")


def pytest_sessionfinish(session):
    path = os.environ.get("HEARTH_SDK_REPORT")
    if path:
        session.config.report.write(path)


@pytest.fixture(autouse=True)
def deadline():
    """Ends a test that waits for ever: a client repeats what fails for minutes, and a lost future is never answered."""
    def late(signum, frame):
        raise TimeoutError(f"not finished within {SECONDS} s")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session")
def server():
    running = serving.Server()
    yield running.start()
    running.close()


@pytest.fixture(autouse=True)
def unload(request):
    """A key may have 64 models at a time, and the SDK has no call that gives one back."""
    yield
    if "server" not in request.fixturenames:
        return
    http = request.getfixturevalue("http")
    for run in http.get("/api/v1/training_runs?limit=100").json()["training_runs"]:
        if run["training_run_id"] not in _unloaded:
            _unloaded.add(run["training_run_id"])
            http.post("/api/v1/unload_model", json={"model_id": run["training_run_id"], "type": "unload_model"})


_unloaded = set()


@pytest.fixture(scope="session")
def keyed(tmp_path_factory):
    """A server with API keys; `keyed.keys` are those of two owners, alice and bob."""
    import subprocess
    path = tmp_path_factory.mktemp("keys") / "keys"
    keys = {}
    for owner in ("alice", "bob"):
        made = subprocess.run([serving.command(), "key", "add", owner, "--keys", str(path)], check=True, capture_output=True,
                              text=True)
        keys[owner] = next(word for word in made.stdout.split() if word.startswith("tml-"))
    running = serving.Server("--keys", path)
    running.keys = keys
    yield running.start()
    running.close()


@pytest.fixture(scope="session")
def service(server):
    client = tinker.ServiceClient(base_url=server.url, api_key=KEY)
    yield client
    if hasattr(client, "close"):
        client.close("success").result()


def done(value):
    """A client or the client in a future: SDKs from 0.38 return the latter."""
    return value.result() if hasattr(value, "result") else value


@pytest.fixture
def trainer(service):
    return done(service.create_lora_training_client(base_model=MODEL, rank=4, seed=7))


@pytest.fixture(scope="session")
def base_sampler(service):
    return done(service.create_sampling_client(base_model=MODEL))


@pytest.fixture(scope="session")
def rest(service):
    return service.create_rest_client() if hasattr(service, "create_rest_client") else tinker.RestClient()


@pytest.fixture(scope="session")
def http(server):
    """Plain requests to the server, for what no public method of the SDK sends."""
    import httpx
    with httpx.Client(base_url=server.url, headers={"X-API-Key": KEY}, timeout=60) as client:
        yield client


def finish(http, answer):
    """Waits for the future that `answer` names and returns its result."""
    assert answer.status_code == 200, answer.text
    body = {"request_id": answer.json()["request_id"], "allow_metadata_only": False}
    while True:
        result = http.post("/api/v1/retrieve_future", json=body)
        if result.status_code != 408:
            return result
