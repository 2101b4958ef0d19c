"""A generative adversarial network that learns to put points on a ring: two optimizers, detach, BCE with logits."""
# compare: --decimals 3 --rel 0.02
import math

import torch
from torch import nn


def ring(count):
    """Points [count, 2] near the unit circle."""
    angle = 2 * math.pi * torch.rand(count)
    radius = 1 + 0.05 * torch.randn(count)
    return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)


def initialise(module):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.2)
        nn.init.zeros_(module.bias)


torch.manual_seed(4)
generator = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2))
critic = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
generator.apply(initialise)
critic.apply(initialise)
for_generator = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
for_critic = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.999))
loss_of = nn.BCEWithLogitsLoss()
real, fake = torch.ones(64, 1), torch.zeros(64, 1)

for step in range(201):
    points, noise = ring(64), torch.randn(64, 8)
    made = generator(noise)
    critic_loss = loss_of(critic(points), real) + loss_of(critic(made.detach()), fake)
    for_critic.zero_grad()
    critic_loss.backward()
    for_critic.step()

    generator_loss = loss_of(critic(made), real)
    for_generator.zero_grad()
    generator_loss.backward()
    for_generator.step()
    if step % 40 == 0:
        radius = made.detach().norm(dim=1).mean().item()
        both = f"critic {critic_loss.item():.3f}  generator {generator_loss.item():.3f}"
        print(f"step {step:3d}  {both}  radius {radius:.3f}")
