# Writes frozen values of ordinary ops: ops.safetensors and ops.json.
"""make_ops.py FOLDER: every case of op_cases/ in float64, rounded to the inputs' dtype; see tests/data/README.md."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from frozen import versions, write_json
from op_cases import elementwise, indexing, layers, losses, products, promotion, reductions
from op_store import Store


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    store = Store()
    for module in (elementwise, reductions, indexing, products, layers, losses):
        module.add_cases(store)
    tables = promotion.add_cases(store)
    save_file({k: v.detach().contiguous().clone() for k, v in store.tensors.items()}, folder / "ops.safetensors")
    write_json(
        folder / "ops.json",
        {"versions": versions("safetensors"), "promotion": tables, "cases": store.rows},
        row_keys=("cases",),
    )
    print(f"{len(store.rows)} cases, {len(store.tensors)} tensors")


if __name__ == "__main__":
    main()
