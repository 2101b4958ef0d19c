"""Data-parallel training: any number of processes print the same losses, as the batch is shared out among them.

    python ddp.py                               one process
    mpirun -n 2 python -m hearth ddp.py         two, by MPI
"""
# compare: --decimals 4
import os
import tempfile

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

if dist.is_mpi_available():
    dist.init_process_group("mpi")
else:
    store = os.path.join(tempfile.mkdtemp(), "store")
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=0, world_size=1)
rank, world = dist.get_rank(), dist.get_world_size()

torch.manual_seed(10)
x = torch.randn(128, 10)
y = (x[:, :3].sum(dim=1, keepdim=True) > 0).float()
data = TensorDataset(x, y)
sampler = DistributedSampler(data, shuffle=False)
loader = DataLoader(data, batch_size=32 // world, sampler=sampler)

torch.manual_seed(11 + rank)  # DistributedDataParallel gives all processes the first one's weights
model = DistributedDataParallel(nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1)))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for epoch in range(5):
    sampler.set_epoch(epoch)
    total = torch.zeros(1)
    for inputs, targets in loader:
        loss = nn.functional.binary_cross_entropy_with_logits(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() / len(loader)
    dist.all_reduce(total)
    if rank == 0:
        print(f"epoch {epoch}  loss {total.item() / world:.4f}")

weights = torch.cat([p.detach().flatten() for p in model.parameters()])
gathered = [torch.zeros_like(weights) for _ in range(world)]
dist.all_gather(gathered, weights)
if rank == 0:
    print("the same weights everywhere:", all(torch.equal(other, weights) for other in gathered))
dist.destroy_process_group()
