"""`kill -9` at random moments, under load from four clients that retry as the SDK does: nothing lost, nothing twice.

HEARTH_KILLS sets how often (100 in the long run of `make test-peers`).
"""
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import time

import pytest

import serving

KILLS = int(os.environ.get("HEARTH_KILLS", "6"))
CLIENTS = 4
STEPS = max(6, KILLS)


def start_clients(server, out):
    out.mkdir()
    here = pathlib.Path(__file__).resolve().parent
    environment = dict(os.environ, TINKER_BASE_URL=server.url, TINKER_API_KEY="tml-test", TINKER_TELEMETRY="0")
    return [subprocess.Popen([sys.executable, str(here / "kill_client.py"), str(n), str(STEPS), str(out)],
                             env=environment, cwd=serving.ROOT, stdout=open(out / f"client-{n}.log", "w"),
                             stderr=subprocess.STDOUT) for n in range(CLIENTS)]


def wait_for(clients, out, seconds):
    deadline = time.monotonic() + seconds
    for n, client in enumerate(clients):
        status = client.wait(max(1, deadline - time.monotonic()))
        assert status == 0, (out / f"client-{n}.log").read_text()[-3000:]


def results(server, out):
    """What each client was told, and the files of its last checkpoint: weights, optimizer, step."""
    server.stop()
    database = sqlite3.connect(server.data / "hearth.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found = []
    for n in range(CLIENTS):
        told = json.loads((out / f"client-{n}.json").read_text())
        run = told["path"].split("/")[2]
        (folder,) = database.execute("SELECT folder FROM checkpoints WHERE run = ? AND name = 'final'", (run,)).fetchone()
        files = {p.name: p.read_bytes() for p in sorted((server.data / folder).iterdir())}
        operations = database.execute(
            "SELECT seq_id, count(*), min(state), max(state) FROM operations WHERE model_id = ? AND seq_id > 0 "
            "GROUP BY seq_id ORDER BY seq_id", (run,)).fetchall()
        assert [row[0] for row in operations] == list(range(1, len(operations) + 1)), "a number is missing"
        assert all(row[1] == 1 for row in operations), "an operation is there twice"
        found.append({"answers": told["answers"], "files": files, "operations": len(operations)})
    return found


@pytest.mark.call("training after kill -9")
def test_kill_at_random_moments(tmp_path):
    calm = serving.Server().start()
    out = tmp_path / "calm"
    begin = time.monotonic()
    wait_for(start_clients(calm, out), out, 600)
    took = time.monotonic() - begin
    expected = results(calm, out)
    calm.close()

    stormy = serving.Server().start()
    out = tmp_path / "stormy"
    clients = start_clients(stormy, out)
    rng = random.Random(os.environ.get("HEARTH_SEED", "kill"))
    kills = 0
    while kills < KILLS and any(client.poll() is None for client in clients):
        time.sleep(rng.uniform(0.02, max(0.5, 2 * took / KILLS)))
        if all(client.poll() is not None for client in clients):
            break
        stormy.kill()
        kills += 1
        stormy.start()
    wait_for(clients, out, 900)
    assert kills >= min(KILLS, 3), f"the clients were done after {kills} kills"
    actual = results(stormy, out)
    stormy.close()
    for n in range(CLIENTS):
        assert actual[n]["operations"] == expected[n]["operations"]
        assert actual[n]["answers"] == expected[n]["answers"], f"client {n} was told something else"
        assert actual[n]["files"].keys() == expected[n]["files"].keys()
        for name, content in expected[n]["files"].items():
            assert actual[n]["files"][name] == content, f"client {n}: {name} differs"
    print(f"{kills} kills, {sum(r['operations'] for r in actual)} operations of {CLIENTS} clients, the same bits")
