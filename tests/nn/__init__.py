"""fastgrad.nn against torch.nn: texts, errors, states, the order of hooks, numbers."""
