"""fastgrad.optim against torch.optim: numbers, groups, states, hooks, errors."""
