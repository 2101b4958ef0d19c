"""Fine-tuning with a progress bar, in a terminal or a notebook."""
import os
import sys

from .. import _C


class TuneResult:
    """What a run ended with: `out`, `steps`, `loss`, `validation_loss`, `interrupted`, and `metrics`, a dict a step."""

    def __init__(self, out, metrics, steps, loss, validation_loss, interrupted):
        self.out, self.metrics = out, metrics
        self.steps, self.loss, self.validation_loss, self.interrupted = steps, loss, validation_loss, interrupted

    def __repr__(self):
        return f"TuneResult(out={self.out!r}, steps={self.steps}, loss={self.loss:.4f}, interrupted={self.interrupted})"

    def _repr_html_(self):
        path = os.path.join(self.out, "loss.svg")
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            return file.read()


def _in_notebook():
    return "ipykernel" in sys.modules


class _Progress:
    """One line that is written anew: bar, step, loss, speed."""

    def __init__(self, stream):
        self.stream, self.plan, self.metrics = stream, None, []
        self.live = _in_notebook() or stream is not None and stream.isatty()
        self.shown = 0

    def on_plan(self, plan):
        self.plan = plan
        if self.stream is None:
            return
        print(f"{plan['examples']:,} {plan['kind']} examples, {plan['validation_examples']:,} for validation; training "
              f"{plan['trainable_parameters']:,} of {plan['model_parameters']:,} parameters; {plan['steps']:,} steps",
              file=self.stream)
        for note in plan["notes"]:
            print("note:", note, file=self.stream)

    def on_step(self, step):
        self.metrics.append(step)
        if self.stream is None:
            return
        total = max(1, self.plan["steps"])
        done = step["step"]
        if not self.live and done != total and done - self.shown < max(1, total // 10):
            return
        self.shown = done
        filled = 24 * done // total
        line = (f"[{'#' * filled}{'.' * (24 - filled)}] {done}/{total}  loss {step['loss']:.4f}  "
                f"{step['tokens_per_second']:,.0f} tokens/s")
        print(("\r" if self.live else "") + line, end="" if self.live else "\n", file=self.stream, flush=True)

    def on_note(self, note):
        if self.stream is not None:
            print(("\n" if self.live else "") + "note:", note, file=self.stream)

    def close(self):
        if self.live and self.metrics and self.stream is not None:
            print(file=self.stream)


def tune(model, data, out, *, progress=True, on_step=None, **settings):
    """Fine-tunes the model in folder `model` on the examples in file `data` (JSON lines or text) and leaves the adapter
    (or, with full=True, the model), metrics.jsonl, loss.svg and checkpoints in folder `out`; the same run as `hearth tune`.

    Settings, as on the command line: full, rank, alpha, dropout, target_modules, dtype, steps, epochs, batch_size,
    batch_tokens, max_length, learning_rate, schedule, warmup_steps, weight_decay, clip, dpo_beta, train_on_prompt, format,
    validation_data, validation_split, limit, seed, eval_every, save_every, checkpoint_activations, resume.
    Ctrl-C saves everything and raises KeyboardInterrupt; resume=True goes on to the same bits. Raises ValueError by the
    setting's name, OSError. Example: tune("models/story", "examples.jsonl", "my-adapter", steps=60)"""
    if "target_modules" in settings:
        settings["target_modules"] = list(settings["target_modules"])
    for name in ("validation_split", "alpha", "dropout", "epochs", "learning_rate", "weight_decay", "clip", "dpo_beta"):
        if name in settings:
            settings[name] = float(settings[name])
    shown = _Progress(sys.stderr if progress else None)

    def step(metrics):
        shown.on_step(metrics)
        if on_step is not None:
            on_step(metrics)

    settings.update(model=os.fspath(model), data=os.fspath(data), out=os.fspath(out))
    try:
        result = _C._tune(settings, shown.on_plan, step, shown.on_note)
    finally:
        shown.close()
    made = TuneResult(settings["out"], shown.metrics, **result)
    if made.interrupted:
        raise KeyboardInterrupt
    return made
