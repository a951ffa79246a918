"""What tests of distributions share."""

import pytest
import torch

import fastgrad as fg


@pytest.fixture
def doubles():
    """float64 by default, in both libraries."""
    kept = torch.get_default_dtype(), fg.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    fg.set_default_dtype(fg.float64)
    yield
    torch.set_default_dtype(kept[0])
    fg.set_default_dtype(kept[1])
