"""WeightedRandomSampler draws PyTorch's indices, of the default generator and of its own."""

import pytest
import torch
import torch.utils.data as torch_data

import fastgrad as fg
import fastgrad.utils.data as data


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize("weights, count, replacement", [
    ([0.1, 0.9, 0.4, 0.7, 3.0], 5, True), ([0.1, 0.9, 0.4, 0.7, 3.0], 3, False), ([1.0] * 100, 1, True), ([0.5, 0.0, 2.0], 40, True)])
def test_indices_are_pytorch_s(weights, count, replacement, seed):
    drawn = []
    for T, D in ((torch, torch_data), (fg, data)):
        T.manual_seed(seed)
        own = T.Generator().manual_seed(seed + 1)
        drawn.append((list(D.WeightedRandomSampler(weights, count, replacement)),
                      list(D.WeightedRandomSampler(weights, count, replacement, generator=own))))
    assert drawn[1] == drawn[0]
