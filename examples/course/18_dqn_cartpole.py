"""Deep Q-learning balances a pole: a replay memory, a slow copy of the network as the target, ever less chance."""

import random
import sys
from collections import deque

import gymnasium
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(5)
random.seed(5)
quick = "--quick" in sys.argv
steps, warm_up, batch = (260, 64, 32) if quick else (12000, 500, 64)


def network():
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


value, target = network(), network()
target.load_state_dict(value.state_dict())
optimizer = torch.optim.Adam(value.parameters(), lr=1e-3)
memory = deque(maxlen=10000)
env = gymnasium.make("CartPole-v1")


def learn():
    """One step towards r + 0.99 max_a Q'(s', a) on a random sample of the memory."""
    states, actions, rewards, following, alive = zip(*random.sample(memory, batch))
    states, following = (torch.from_numpy(np.array(rows, dtype=np.float32)) for rows in (states, following))
    with torch.no_grad():
        goal = torch.tensor(rewards) + 0.99 * torch.tensor(alive) * target(following).max(dim=1).values
    guess = value(states).gather(1, torch.tensor(actions)[:, None]).squeeze(1)
    loss = F.smooth_l1_loss(guess, goal)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(value.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), value.parameters()):
            slow.lerp_(fast, 0.01)
    return loss.item()


state, _ = env.reset(seed=5)
episode, finished, loss = 0.0, [], 0.0
for step in range(steps):
    chance = max(0.05, 1.0 - step / (0.4 * steps))
    if random.random() < chance:
        action = random.randrange(2)
    else:
        with torch.no_grad():
            action = value(torch.from_numpy(np.asarray(state, dtype=np.float32))).argmax().item()
    following, reward, terminated, truncated, _ = env.step(action)
    memory.append((state, action, float(reward), following, float(not terminated)))
    state, episode = following, episode + reward
    if terminated or truncated:
        finished.append(episode)
        episode = 0.0
        state, _ = env.reset()
    if step >= warm_up:
        loss = learn()
    if step % (steps // 10) == 0:
        print(f"step {step}  loss {loss:.4f}  mean of the last ten episodes {np.mean(finished[-10:] or [0]):.1f}")
print(f"the pole stands for {np.mean(finished[-10:]):.0f} steps of 500, at first for {np.mean(finished[:10]):.0f}")
