"""Made-up patients: eight measurements each, and an illness that depends on them in a way no straight line describes."""

import torch


def patients(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 8, generator=generator)
    risk = 2 * x[:, 0] - x[:, 3] + 2 * x[:, 5] * x[:, 6] + 0.5 * x[:, 7]
    return x, (risk > 0).float().unsqueeze(1)
