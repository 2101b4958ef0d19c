"""Trains with bfloat16 autocast on the CPU: what is computed in which type, and that weights stay in float32."""
# compare: --decimals 2 --rel 0.08
import torch
import torch.nn.functional as F
from torch import nn

from digits import make_digits

torch.manual_seed(8)
images, labels = make_digits(512, torch.Generator().manual_seed(9))
model = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)

with torch.autocast("cpu", dtype=torch.bfloat16):
    hidden = model[1](images[:4].flatten(1))
    print("linear gives", hidden.dtype, " softmax gives", F.softmax(hidden, dim=-1).dtype)
    ones = torch.ones(2, 2)
    print("matmul gives", (ones @ ones).dtype, " add gives", (ones + ones).dtype)
    with torch.autocast("cpu", enabled=False):
        print("inside disabled", model[1](images[:4].flatten(1)).dtype)

for epoch in range(8):
    for batch, wanted in zip(images.split(64), labels.split(64)):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(batch), wanted)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}  loss {loss.item():.2f}  loss in {loss.dtype}")
print("weights in", model[1].weight.dtype, " gradients in", model[1].weight.grad.dtype)

half = model.to(torch.bfloat16)
with torch.no_grad():
    right = (half(images.to(torch.bfloat16)).argmax(dim=1) == labels).float().mean().item()
print("all-bfloat16 model still reads:", right > 0.9)
