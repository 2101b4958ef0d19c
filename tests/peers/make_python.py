# Makes tests/data/python: what PyTorch's layers, optimizers and schedules give for the cases of tests/python.
"""make_python.py FOLDER"""

import sys
import warnings
from pathlib import Path

import torch

from frozen import versions, write_json

TESTS = Path(__file__).resolve().parent.parent / "python"
sys.path += [str(TESTS / "nn"), str(TESTS / "optim")]


def rounded(value):
    """Numbers with 7 digits."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return value


def modules() -> list:
    import module_cases

    return [{**rounded(module_cases.run(torch, case)), "inputs": case[1]} for case in module_cases.CASES]


def optimizers() -> list:
    import optim_cases

    rows = []
    for name, settings in optim_cases.OPTIMIZERS:
        optimizer, history = optim_cases.train(torch, name, dict(settings), torch.float32)
        state = optim_cases.plain(optimizer.state_dict())
        rows.append({"name": name, "history": [history[0], history[-1]], "state": state, "repr": repr(optimizer)})
    return rows


def schedules() -> list:
    import optim_cases

    rows = []
    for name, settings in optim_cases.SCHEDULES:
        for mode in ("plain", "epoch"):
            seen, state = optim_cases.rates(torch, name, dict(settings), mode)
            rows.append({"name": name, "mode": mode, "rates": rounded(seen), "state": state})
    return rows


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    write_json(folder / "modules.json", {"versions": versions(), "modules": modules()}, row_keys=("modules",))
    content = {"versions": versions(), "optimizers": optimizers(), "schedules": schedules()}
    write_json(folder / "optim.json", content, row_keys=("optimizers", "schedules"))


if __name__ == "__main__":
    main()
