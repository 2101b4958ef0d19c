"""Runs the offline recipes of tinker-cookbook, unmodified, against `hearth serve`, and draws what they learned.

    python3 bench/recipes/run.py --python VENV/bin/python --arithmetic MODEL --out RESULTS [--only NAME,NAME] [--short]

VENV holds tinker 0.38.0 and tinker-cookbook 0.6.1; MODEL comes from bench/recipes/arithmetic_text.py and `hearth
pretrain`. A recipe counts as run when it exits with 0 *and* the server counted the expected forward_backward requests.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from plot import draw  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = "tinker_cookbook.recipes"
ARITHMETIC = f"{RECIPES}.math_rl.train env=arithmetic".split()


def cases(short, data, wide, arithmetic, examples):
    """NAME -> (module and arguments, model, least forward_backward requests)."""
    steps = 3 if short else 40
    small = "groups_per_batch=4 group_size=2 max_tokens=5 max_steps=2".split()
    sft = [f"{RECIPES}.chat_sl.train", f"dataset={examples}/conversations.jsonl", "batch_size=16", "eval_every=0",
           "infrequent_eval_every=0", "max_length=256"]
    importance = ["loss_fn=importance_sampling"]
    return {
        "arithmetic-rl": (ARITHMETIC + importance + [
            "groups_per_batch=16", "group_size=16", "max_tokens=6", f"max_steps={steps}", "learning_rate=2e-3",
            "eval_every=0", "save_every=0"], arithmetic, steps),
        "arithmetic-ppo": (ARITHMETIC + small + ["loss_fn=ppo"], arithmetic, 2),
        "arithmetic-cispo": (ARITHMETIC + small + ["loss_fn=cispo"], arithmetic, 2),
        "arithmetic-gspo": (ARITHMETIC + small + ["loss_fn=gspo"], arithmetic, 2),
        "arithmetic-dro": (ARITHMETIC + small + ["loss_fn=dro", "loss_fn_config={'beta': 0.05}"], arithmetic, 2),
        "arithmetic-async": (ARITHMETIC + small + importance + ["max_steps_off_policy=2"], arithmetic, 2),
        "arithmetic-stream": (ARITHMETIC + small + importance + [
            "stream_minibatch_config.groups_per_batch=4", "stream_minibatch_config.num_minibatches=2"], arithmetic, 3),
        "arithmetic-substeps": (ARITHMETIC + small + importance + ["num_substeps=2", "compute_post_kl=True"],
                                arithmetic, 4),
        "guess-number": ([f"{RECIPES}.multiplayer_rl.guess_number.train", "batch_size=2", "group_size=2", "max_steps=1",
                          "eval_every=0", "save_every=0"], wide, 1),
        "shorter": ([f"{RECIPES}.preference.shorter.train", "batch_size=2", "group_size=2", "max_steps=2",
                     "eval_every=0"], wide, 1),
        "chat-sl": (sft + ["save_every=20", "num_epochs=5" if not short else "num_epochs=1", "learning_rate=4e-3",
                           f"max_steps={4 if short else 40}"], wide, 4),
        "own-jsonl": ([f"{RECIPES}.chat_sl.train", f"dataset={data}", "batch_size=8", "max_length=256", "save_every=1",
                       "eval_every=0", "infrequent_eval_every=0", "max_steps=2"], wide, 2),
        "rolling-checkpoints": (sft + ["save_every=2", "rolling_save_every=1", "rolling_ttl_seconds=3600",
                                       "max_steps=4"], wide, 4),
        # Goes on with the run before it: more epochs, since a run that ended on max_steps counts as complete.
        "rolling-checkpoints-resume": (sft + ["save_every=2", "num_epochs=2", "max_steps=12"], wide, 2),
        "rubric": ([f"{RECIPES}.rubric.train", f"grader_llm_name={wide}", "grader_renderer_name=role_colon",
                    "groups_per_batch=2", "train_group_size=2", "max_steps=1", "eval_every=0"] + importance, wide, 1),
        "prompt-distillation": ([f"{RECIPES}.prompt_distillation.train", f"file_path={data}", "batch_size=8",
                                 "max_steps=2", "eval_every=0", "save_every=0"], wide, 2),
        "text-arena": ([f"{RECIPES}.multiplayer_rl.text_arena.train", "batch_size=16", "num_train_datapoints=128",
                        "max_steps=2"], wide, 2),
        "default-loss-refused": (ARITHMETIC + small, arithmetic, -1),
    }


class Server:
    def __init__(self, command, models, data, log):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = open(log, "w")
        arguments = [command, "serve", "--bind", f"127.0.0.1:{self.port}", "--data", str(data)]
        for name, folder in models.items():
            arguments += ["--model", f"{name}={folder}"]
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=subprocess.STDOUT)
        for _ in range(200):
            if self.process.poll() is not None:
                sys.exit(f"run: the server ended at its start; see {log}")
            try:
                urllib.request.urlopen(self.url + "/healthz", timeout=2)
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("run: the server does not answer")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def count(self, route="forward_backward"):
        text = urllib.request.urlopen(self.url + "/metrics", timeout=10).read().decode()
        lines = [line for line in text.splitlines() if f'/{route}"' in line and re.match(r"\w*requests_total", line)]
        return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines))

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def metrics(folder):
    path = folder / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_case(name, case, options, server, work):
    arguments, model, least = case
    log_path = work / "runs" / name.replace("-resume", "")
    resume = name.endswith("-resume")
    command = [str(options.python), "-m", *arguments, f"model_name={model}", "renderer_name=role_colon",
               f"log_path={log_path}", f"behavior_if_log_dir_exists={'resume' if resume else 'delete'}"]
    environment = dict(os.environ, TINKER_API_KEY="tml-local", TINKER_BASE_URL=server.url, HF_HUB_OFFLINE="1",
                       TRANSFORMERS_OFFLINE="1", HF_DATASETS_OFFLINE="1", OMP_NUM_THREADS="1")
    before, start = server.count(), time.time()
    with open(work / f"{name}.log", "w") as log:
        status = subprocess.run(command, cwd=work, env=environment, stdout=log, stderr=subprocess.STDOUT,
                                timeout=options.timeout).returncode
    requests = server.count() - before
    text = (work / f"{name}.log").read_text()
    if least < 0:
        good = status != 0 and "importance_sampling" in text
    else:
        good = status == 0 and requests >= least
    print(f"{'ok  ' if good else 'FAIL'} {name:22} exit {status}, {requests} forward_backward, "
          f"{time.time() - start:.0f} s", flush=True)
    return {"name": name, "good": good, "exit": status, "forward_backward": requests,
            "seconds": round(time.time() - start, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--python", type=lambda p: pathlib.Path(p).absolute(), required=True)
    parser.add_argument("--arithmetic", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--command", default=str(ROOT / "build/hearth"))
    parser.add_argument("--only", default="")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--timeout", type=float, default=1800)
    options = parser.parse_args()
    work = options.out.resolve()
    (work / "models").mkdir(parents=True, exist_ok=True)
    for name, source in (("arithmetic", options.arithmetic), ("wide", ROOT / "models/stories-2m")):
        shutil.copytree(source, work / "models" / name, dirs_exist_ok=True)
    # Conversations of several turns are longer than the story model's 256 tokens; its positions are computed, not learned.
    config = work / "models/wide/config.json"
    config.write_text(re.sub(r'("max_position_embeddings": )\d+', r"\g<1>8192", config.read_text()))
    data = work / "data.jsonl"
    data.write_text("".join(json.dumps({"messages": [{"role": "user", "content": f"Say {i}."},
                                                     {"role": "assistant", "content": f"{i}!"}]}) + "\n"
                            for i in range(32)))
    where = "import tinker_cookbook, os; print(os.path.dirname(tinker_cookbook.__file__))"
    package = subprocess.run([options.python, "-c", where], capture_output=True, text=True, check=True).stdout.strip()
    (work / "tinker_cookbook/example_data").mkdir(parents=True, exist_ok=True)
    wanted = cases(options.short, data, "models/wide", "models/arithmetic", package + "/example_data")
    if options.only:
        wanted = {name: wanted[name] for name in options.only.split(",")}
    models = {"models/arithmetic": work / "models/arithmetic", "models/wide": work / "models/wide"}
    server = Server(options.command, models, work / "server", work / "server.log")
    results = []
    try:
        if "rubric" in wanted:
            subprocess.run([options.python, "-m", f"{RECIPES}.rubric.generate_data"], cwd=work, check=True,
                           stdout=subprocess.DEVNULL)
        for name, case in wanted.items():
            results.append(run_case(name, case, options, server, work))
    finally:
        server.stop()
    (work / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    curves = {"arithmetic-rl": ("env/all/correct", "share of right answers"),
              "chat-sl": ("train_mean_nll", "loss per token")}
    for name, (key, label) in curves.items():
        rows = metrics(work / "runs" / name)
        values = [row[key] for row in rows if key in row]
        if values:
            (work / f"{name}.svg").write_text(draw(values, f"{name}: {label}", label))
            print(f"{name}: {label} {values[0]:.3f} -> {sum(values[-5:]) / len(values[-5:]):.3f}, {work / name}.svg")
    sys.exit(0 if all(r["good"] for r in results) else 1)


if __name__ == "__main__":
    main()
