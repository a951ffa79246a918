"""A generator and a discriminator play against each other until noise becomes a ring of eight clusters."""

import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(3)
quick = "--quick" in sys.argv
CENTRES = torch.tensor([[math.cos(i * math.pi / 4), math.sin(i * math.pi / 4)] for i in range(8)])


def real(count):
    """Points of the true distribution."""
    return CENTRES[torch.randint(8, (count,))] + 0.05 * torch.randn(count, 2)


def network(inputs, outputs, width=64):
    hidden = [layer for _ in range(2) for layer in (nn.Linear(width, width), nn.LeakyReLU(0.2))]
    return nn.Sequential(nn.Linear(inputs, width), nn.LeakyReLU(0.2), *hidden, nn.Linear(width, outputs))


def quality(points):
    """(part of the points near a centre, number of centres that have points)."""
    distance, nearest = torch.cdist(points, CENTRES).min(dim=1)
    near = distance < 0.2
    return near.float().mean().item(), len(nearest[near].unique())


generator, discriminator = network(4, 2), network(2, 1)
generator_step = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
discriminator_step = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.9))
ones, zeros = torch.ones(128, 1), torch.zeros(128, 1)
rounds = 30 if quick else 3000
for step in range(rounds):
    fake = generator(torch.randn(128, 4))
    score_real, score_fake = discriminator(real(128)), discriminator(fake.detach())
    d_loss = F.binary_cross_entropy_with_logits(score_real, ones) + F.binary_cross_entropy_with_logits(score_fake, zeros)
    discriminator_step.zero_grad()
    d_loss.backward()
    discriminator_step.step()

    g_loss = F.binary_cross_entropy_with_logits(discriminator(fake), ones)
    generator_step.zero_grad()
    g_loss.backward()
    generator_step.step()
    if step % (rounds // 10) == 0:
        print(f"round {step}  discriminator {d_loss.item():.4f}  generator {g_loss.item():.4f}")

with torch.no_grad():
    near, found = quality(generator(torch.randn(1000, 4)))
print(f"{100 * near:.0f}% of the points lie near a centre; {found} of 8 centres are found")
