"""A variational autoencoder of generated digits: the reparameterisation trick, KL and reconstruction losses."""
# compare: --decimals 2 --rel 0.01
import torch
import torch.nn.functional as F
from torch import nn

from digits import make_digits


class VAE(nn.Module):
    def __init__(self, pixels=256, hidden=64, latent=4):
        super().__init__()
        self.encoder = nn.Linear(pixels, hidden)
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())

    def forward(self, x):
        h = F.relu(self.encoder(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decoder(z), mean, log_variance


def losses(model, x):
    """(reconstruction, KL divergence from the unit normal), both for one image."""
    y, mean, log_variance = model(x)
    reconstruction = F.binary_cross_entropy(y, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return reconstruction / len(x), kl / len(x)


torch.manual_seed(3)
images, _ = make_digits(512, torch.Generator().manual_seed(8), noise=0.05)
images = images.reshape(-1, 256)
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(5):
    totals = [0.0, 0.0]
    for batch in images.split(64):
        optimizer.zero_grad()
        parts = losses(model, batch)
        sum(parts).backward()
        optimizer.step()
        totals = [total + part.item() / 8 for total, part in zip(totals, parts)]
    print(f"epoch {epoch}  reconstruction {totals[0]:.2f}  kl {totals[1]:.3f}")

model.eval()
with torch.no_grad():
    drawn = model.decoder(torch.randn(16, 4))
print("drawn:", tuple(drawn.shape), "all in 0..1:", bool(((drawn >= 0) & (drawn <= 1)).all()))
