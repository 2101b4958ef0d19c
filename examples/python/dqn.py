"""Deep Q-learning on a grid: walk from a corner to the goal past a wall; replay memory, target network, Huber loss."""
# compare: --decimals 3 --rel 0.02
import random
from collections import deque

import torch
import torch.nn.functional as F
from torch import nn

SIZE, GOAL, WALL = 4, (3, 3), {(1, 1), (2, 1), (1, 3)}
MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]


def move(place, action):
    """(next place, reward, whether the goal is reached)."""
    row, column = place[0] + MOVES[action][0], place[1] + MOVES[action][1]
    if not (0 <= row < SIZE and 0 <= column < SIZE) or (row, column) in WALL:
        return place, -0.2, False
    return (row, column), (1.0 if (row, column) == GOAL else -0.05), (row, column) == GOAL


def observe(places):
    """Places as one-hot rows."""
    return F.one_hot(torch.tensor([r * SIZE + c for r, c in places]), SIZE * SIZE).float()


def network():
    return nn.Sequential(nn.Linear(SIZE * SIZE, 32), nn.ReLU(), nn.Linear(32, 4))


def learn(batch):
    """One step of the optimizer."""
    places, actions, rewards, nexts, ends = zip(*batch)
    values = q(observe(places)).gather(1, torch.tensor(actions).unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        best = target(observe(nexts)).max(dim=1).values
        wanted = torch.tensor(rewards) + 0.9 * best * (1 - torch.tensor(ends, dtype=torch.float32))
    loss = F.smooth_l1_loss(values, wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


random.seed(5)
torch.manual_seed(5)
q, target = network(), network()
target.load_state_dict(q.state_dict())
optimizer = torch.optim.RMSprop(q.parameters(), lr=2e-3)
memory = deque(maxlen=500)
step = 0
for episode in range(60):
    place = (0, 0)
    for _ in range(30):
        # Actions are random while learning: Q-learning does not need to act by what it knows.
        action = random.randrange(4)
        after, reward, end = move(place, action)
        memory.append((place, action, reward, after, end))
        place, step = after, step + 1
        if len(memory) >= 32:
            learn(random.sample(list(memory), 32))
        if step % 50 == 0:
            target.load_state_dict(q.state_dict())
        if end:
            break
    if episode % 10 == 9:
        values = q(observe([(0, 0)]))[0].tolist()
        print(f"episode {episode + 1}  values at the start:", *(f"{value:.3f}" for value in values))

place, path = (0, 0), [(0, 0)]
while place != GOAL and len(path) < 20:
    with torch.no_grad():
        place, _, _ = move(place, int(q(observe([place])).argmax()))
    path.append(place)
print("path:", *path)
