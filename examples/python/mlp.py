"""Fits a curve with a multi-layer perceptron, Adam and a cosine schedule."""
# compare: --decimals 4 --rel 0.005
import torch
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-3, 3, 200).unsqueeze(1)
y = torch.sin(2 * x) + 0.3 * x**2 + 0.05 * torch.randn(200, 1)

model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
print(model)
print("parameters:", sum(p.numel() for p in model.parameters()))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=300)

for step in range(301):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    if step % 50 == 0:
        print(f"step {step:3d}  loss {loss.item():.4f}  lr {schedule.get_last_lr()[0]:.6f}")

model.eval()
with torch.no_grad():
    for value in (-2.0, 0.0, 1.5):
        print(f"f({value}) = {model(torch.tensor([[value]])).item():.3f}")
