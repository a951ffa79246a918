"""Recurrent cells: a layer over a sequence is a cell applied step by step, and can be trained either way."""

import sys

import torch
from torch import nn

torch.manual_seed(777)
quick = "--quick" in sys.argv
letters = torch.eye(4)
h, e, l, o = letters

cell = nn.RNN(input_size=4, hidden_size=2, batch_first=True)
hidden = torch.zeros(1, 1, 2)
for one in (h, e, l, l, o):
    out, hidden = cell(one.view(1, 1, -1), hidden)
    print("one letter:", [round(v, 4) for v in out.flatten().tolist()])
out, hidden = cell(torch.stack([h, e, l, l, o])[None])
print("whole word:", tuple(out.shape), [round(v, 4) for v in out[0, -1].tolist()])
words = torch.stack([torch.stack(w) for w in ([h, e, l, l, o], [e, o, l, l, l], [l, l, e, e, l])])
out, hidden = cell(words)
print("three words:", tuple(out.shape), tuple(hidden.shape), f"sum {out.sum().item():.4f}")

# Each kind of cell learns to give back the mean of what it has read so far.
for kind in ("RNNCell", "LSTMCell", "GRUCell"):
    torch.manual_seed(1)
    cell, read = getattr(nn, kind)(1, 16), nn.Linear(16, 1)
    optimizer = torch.optim.Adam([*cell.parameters(), *read.parameters()], lr=0.01)
    for step in range(30 if quick else 400):
        x = torch.rand(32, 8, 1)
        state, answers = None, []
        for t in range(x.shape[1]):
            state = cell(x[:, t], state)
            answers.append(read(state[0] if isinstance(state, tuple) else state))
        target = x.cumsum(1) / torch.arange(1, 9).view(1, -1, 1)
        loss = nn.functional.mse_loss(torch.stack(answers, 1), target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(cell.parameters(), 1.0)
        optimizer.step()
        if step % (10 if quick else 100) == 0:
            print(f"{kind}: step {step}  loss {loss.item():.4f}")
    print(f"{kind}: loss at the end {loss.item():.4f}")
