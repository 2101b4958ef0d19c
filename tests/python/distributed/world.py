"""What two processes check about each other; started by test_distributed.py under mpirun."""
import sys

import hearth as torch
import hearth.distributed as dist
from hearth import nn
from hearth.nn.parallel import DistributedDataParallel


def collectives(rank, size):
    x = torch.tensor([rank + 1.0, 2.0])
    dist.all_reduce(x)
    assert x.tolist() == [3.0, 4.0], x
    half = torch.tensor([rank + 1.0], dtype=torch.bfloat16)
    dist.all_reduce(half, dist.ReduceOp.AVG)
    assert half.item() == 1.5 and half.dtype is torch.bfloat16
    column = torch.zeros(2, 2)
    column[:, 0] = rank + 1
    dist.all_reduce(column[:, 0])
    assert column.tolist() == [[3, 0], [3, 0]], column
    b = torch.tensor([rank])
    dist.broadcast(b, src=1)
    assert b.item() == 1
    parts = [torch.zeros(2) for _ in range(size)]
    dist.all_gather(parts, torch.full((2,), float(rank)))
    assert [p.tolist() for p in parts] == [[0, 0], [1, 1]]
    got = [torch.zeros(1) for _ in range(size)] if rank == 0 else None
    dist.gather(torch.tensor([rank * 10.0]), got, dst=0)
    assert rank or [g.item() for g in got] == [0, 10]
    mine = torch.zeros(1)
    dist.scatter(mine, [torch.tensor([5.0]), torch.tensor([6.0])] if rank == 0 else None, src=0)
    assert mine.item() == 5 + rank
    if rank == 0:
        dist.send(torch.arange(3.0), dst=1)
    else:
        y = torch.zeros(3)
        assert dist.recv(y, src=0) == 0 and y.tolist() == [0, 1, 2]
    names = [None, None]
    dist.all_gather_object(names, f"rank {rank}")
    assert names == ["rank 0", "rank 1"]
    work = dist.all_reduce(x, async_op=True)
    assert work.wait() and x.tolist() == [6.0, 8.0]
    dist.barrier()


def gradients(rank, size):
    """The gradients of two halves of a batch are those of the whole batch."""
    torch.manual_seed(rank)  # different starts: rank 0's must win
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2))
    parallel = DistributedDataParallel(model)
    torch.manual_seed(7)
    data, target = torch.randn(8, 5), torch.randn(8, 2)
    half = slice(rank * 4, rank * 4 + 4)
    nn.functional.mse_loss(parallel(data[half]), target[half]).backward()
    averaged = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    nn.functional.mse_loss(model(data), target).backward()
    with torch.no_grad():
        worst = max((a - p.grad).abs().max().item() for a, p in zip(averaged, model.parameters()))
    # The single pass above went through the hooks, too, and was averaged with itself.
    assert worst < 1e-6, worst
    for p in model.parameters():
        q = p.detach().clone()
        dist.broadcast(q, src=0)
        assert torch.equal(p.detach(), q)


dist.init_process_group("mpi")
collectives(dist.get_rank(), dist.get_world_size())
gradients(dist.get_rank(), dist.get_world_size())
if dist.get_rank() == 0:
    print("all right")
dist.destroy_process_group()
sys.exit(0)
