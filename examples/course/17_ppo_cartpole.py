"""Proximal policy optimization balances a pole: collect, estimate advantages, improve within a trust region, repeat."""

import sys

import gymnasium
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(4)
quick = "--quick" in sys.argv
gamma, lam, clip = 0.99, 0.95, 0.2
horizon, rounds, epochs, minibatch = (128, 3, 2, 64) if quick else (1024, 30, 8, 256)


def network(outputs, gain):
    """Two hidden layers of tanh; orthogonal weights, the last ones scaled by `gain`."""
    layers = [nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]
    for layer, scale in zip(layers[::2], (2**0.5, 2**0.5, gain)):
        nn.init.orthogonal_(layer.weight, scale)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


policy, critic = network(2, 0.01), network(1, 1.0)
parameters = [*policy.parameters(), *critic.parameters()]
optimizer = torch.optim.Adam(parameters, lr=1e-3, eps=1e-5)
env = gymnasium.make("CartPole-v1")
state, _ = env.reset(seed=4)
episode, finished = 0.0, []


@torch.no_grad()
def collect():
    """`horizon` steps: states, actions, their log probabilities, rewards, values, and whether an episode ended."""
    global state, episode
    rows = []
    for _ in range(horizon):
        x = torch.from_numpy(np.asarray(state, dtype=np.float32))
        choice = Categorical(logits=policy(x))
        action = choice.sample()
        state, reward, terminated, truncated, _ = env.step(action.item())
        rows.append((x, action, choice.log_prob(action), reward, critic(x).item(), terminated or truncated))
        episode += reward
        if terminated or truncated:
            finished.append(episode)
            episode = 0.0
            state, _ = env.reset()
    x, actions, log_probs, rewards, values, ends = zip(*rows)
    return torch.stack(x), torch.stack(actions), torch.stack(log_probs), rewards, values, ends


@torch.no_grad()
def advantages(rewards, values, ends):
    """Generalized advantage estimation: discounted sums of the critic's surprises, from the last step back."""
    following = critic(torch.from_numpy(np.asarray(state, dtype=np.float32))).item()
    result, running = [], 0.0
    for reward, value, end in zip(reversed(rewards), reversed(values), reversed(ends)):
        surprise = reward + gamma * following * (not end) - value
        running = surprise + gamma * lam * (not end) * running
        result.append(running)
        following = value
    return torch.tensor(result[::-1])


for turn in range(rounds):
    x, actions, old, rewards, values, ends = collect()
    advantage = advantages(rewards, values, ends)
    returns = advantage + torch.tensor(values)
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    for _ in range(epochs):
        for part in torch.randperm(horizon).split(minibatch):
            choice = Categorical(logits=policy(x[part]))
            ratio = (choice.log_prob(actions[part]) - old[part]).exp()
            gain = torch.min(ratio * advantage[part], ratio.clamp(1 - clip, 1 + clip) * advantage[part]).mean()
            error = (critic(x[part]).squeeze(1) - returns[part]).pow(2).mean()
            loss = -gain + 0.5 * error - 0.01 * choice.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 0.5)
            optimizer.step()
    print(f"round {turn}  loss {loss.item():.3f}  mean of the last ten episodes {np.mean(finished[-10:] or [0]):.1f}")
print(f"the pole stands for {np.mean(finished[-10:]):.0f} steps of 500, at first for {np.mean(finished[:10]):.0f}")
