"""A small GPT that learns to sort digits: causal attention, weight tying, AdamW groups, warm-up, greedy decoding."""
# compare: --decimals 3 --rel 0.02
import torch
import torch.nn.functional as F
from torch import nn

DIGITS, LENGTH = 6, 5
CONTEXT = 2 * LENGTH - 1


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (part.view(b, t, self.heads, -1).transpose(1, 2) for part in self.qkv(self.norm1(x)).split(c, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, width=48, heads=3, layers=2):
        super().__init__()
        self.tokens = nn.Embedding(DIGITS, width)
        self.places = nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, DIGITS, bias=False)
        self.head.weight = self.tokens.weight
        self.apply(self._initialise)

    @staticmethod
    def _initialise(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.08)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, x):
        h = self.tokens(x) + self.places(torch.arange(x.shape[1]))
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


def batch(count):
    """(inputs, targets): digits and then the same sorted; only the sorted part counts."""
    digits = torch.randint(DIGITS, (count, LENGTH))
    both = torch.cat([digits, digits.sort(dim=1).values], dim=1)
    targets = both[:, 1:].clone()
    targets[:, :LENGTH - 1] = -1
    return both[:, :-1], targets


torch.manual_seed(6)
model = GPT()
decay = [p for p in model.parameters() if p.dim() >= 2]
plain = [p for p in model.parameters() if p.dim() < 2]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=2e-3)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 20))
print("parameters:", sum(p.numel() for p in model.parameters()))
for step in range(101):
    x, targets = batch(32)
    loss = F.cross_entropy(model(x).view(-1, DIGITS), targets.view(-1), ignore_index=-1)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    if step % 20 == 0:
        print(f"step {step:3d}  loss {loss.item():.3f}")

model.eval()
with torch.no_grad():
    row = torch.tensor([[5, 0, 3, 1, 3]])
    for _ in range(LENGTH):
        row = torch.cat([row, model(row)[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
print("sorted:", row[0, LENGTH:].tolist() == [0, 1, 3, 3, 5])
