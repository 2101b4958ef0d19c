"""Learns a rhyme letter by letter with an embedding, a two-layer LSTM and gradient clipping, then recites it."""
# compare: --decimals 3 --rel 0.02
import torch
from torch import nn

TEXT = ("the rain in spain stays mainly in the plain. "
        "a cat sat on a mat and saw a rat. "
        "the quick brown fox jumps over the lazy dog. ") * 4


class CharLSTM(nn.Module):
    def __init__(self, letters, width=48):
        super().__init__()
        self.embed = nn.Embedding(letters, 16)
        self.lstm = nn.LSTM(16, width, num_layers=2, batch_first=True)
        self.head = nn.Linear(width, letters)

    def forward(self, x, state=None):
        y, state = self.lstm(self.embed(x), state)
        return self.head(y), state


torch.manual_seed(2)
letters = sorted(set(TEXT))
number = {c: i for i, c in enumerate(letters)}
data = torch.tensor([number[c] for c in TEXT])
model = CharLSTM(len(letters))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
loss_of = nn.CrossEntropyLoss()

for step in range(121):
    starts = torch.randint(0, len(data) - 41, (16,))
    windows = torch.stack([data[s:s + 41] for s in starts.tolist()])
    logits, _ = model(windows[:, :-1])
    loss = loss_of(logits.reshape(-1, len(letters)), windows[:, 1:].reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step:3d}  loss {loss.item():.3f}" + (f"  gradient norm {norm.item():.3f}" if step == 0 else ""))

with torch.no_grad():
    out, state = [number[c] for c in "the "], None
    logits, state = model(torch.tensor([out]))
    while len(out) < 40:
        out.append(int(logits[0, -1].argmax()))
        logits, state = model(torch.tensor([out[-1:]]), state)
text = "".join(letters[i] for i in out)
print("knows the rhyme:", text[:25] in TEXT)
