"""How long a server takes from its start to its first answers. Prints JSON; arguments: HEARTH [RUNS].

Times are of the wall, so of an idle machine only; cpu_ms is what the server itself computed until its first sample.
weights_ms is what reading the model's file takes by itself.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def ask(port: int, method: str, path: str, body: dict | None = None) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    text = None if body is None else json.dumps(body)
    connection.request(method, path, body=text, headers={"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"cold_start: {method} {path}: {answer.status}: {content.decode()}")


def cpu_of(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_once(hearth: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as data:
        begin = time.perf_counter()
        command = [hearth, "serve", "--data", data, "--bind", "127.0.0.1:0", "--log", "error"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            # The server says where it listens as soon as it does.
            port = int(server.stdout.readline().strip().rpartition(":")[2])
            ask(port, "GET", "/healthz")
            health = time.perf_counter() - begin
            ask(port, "POST", "/v1/completions", {"model": "stories-2m", "prompt": "Once", "max_tokens": 1})
            return {"healthz_ms": health, "sample_ms": time.perf_counter() - begin, "cpu_ms": cpu_of(server.pid)}
        finally:
            server.terminate()
            server.wait()


def time_of_weights() -> float:
    path = os.path.join(os.path.dirname(__file__), "../models/stories-2m/model.safetensors")
    begin = time.perf_counter()
    with open(path, "rb") as file:
        file.read()
    return time.perf_counter() - begin


def main() -> None:
    hearth, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 9
    times = [start_once(hearth) | {"weights_ms": time_of_weights()} for _ in range(runs)]
    result = {}
    for name in times[0]:
        values = [one[name] * 1000 for one in times]
        result[name] = {"least": round(min(values), 1), "median": round(statistics.median(values), 1)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
