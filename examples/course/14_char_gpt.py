"""A small GPT learns to write nursery rhymes, letter by letter: masked self-attention, residual blocks, AdamW with warm-up."""

import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(1)
quick = "--quick" in sys.argv
TEXT = """
Twinkle, twinkle, little star, how I wonder what you are! Up above the world so high, like a diamond in the sky.
Baa, baa, black sheep, have you any wool? Yes sir, yes sir, three bags full. One for the master, one for the dame,
and one for the little boy who lives down the lane. Humpty Dumpty sat on a wall, Humpty Dumpty had a great fall.
All the king's horses and all the king's men could not put Humpty together again. Jack and Jill went up the hill
to fetch a pail of water. Jack fell down and broke his crown, and Jill came tumbling after.
"""
letters = sorted(set(TEXT))
number = {letter: i for i, letter in enumerate(letters)}
corpus = torch.tensor([number[letter] for letter in TEXT])
context, width, heads, layers = (24, 32, 2, 2) if quick else (48, 96, 4, 3)


class Attention(nn.Module):
    """Each letter looks back at the letters before it, through several heads."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.register_buffer("past", torch.tril(torch.ones(context, context, dtype=torch.bool)))

    def forward(self, x):
        batch, time, _ = x.shape
        q, k, v = self.qkv(x).view(batch, time, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // heads)
        weights = scores.masked_fill(~self.past[:time, :time], float("-inf")).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(batch, time, width))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.attention = nn.LayerNorm(width), Attention()
        self.ln2, self.mlp = nn.LayerNorm(width), nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(len(letters), width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, len(letters), bias=False)
        self.head.weight = self.token.weight  # one table reads and writes
        nn.init.normal_(self.token.weight, std=0.1)

    def forward(self, x):
        x = self.token(x) + self.position(torch.arange(x.size(1)))
        return self.head(self.norm(self.blocks(x)))


@torch.no_grad()
def write(model, start, count):
    """The start, continued by the likeliest letters."""
    out = [number[letter] for letter in start]
    for _ in range(count):
        out.append(model(torch.tensor([out[-context:]]))[0, -1].argmax().item())
    return "".join(letters[i] for i in out).replace("\n", " ")


model = GPT()
print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(letters)} letters")
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
steps, warm_up = (40, 10) if quick else (300, 40)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / warm_up, 1.0))
for step in range(steps):
    begins = torch.randint(len(corpus) - context, (16,))
    windows = torch.stack([corpus[i : i + context + 1] for i in begins])
    logits = model(windows[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    if step % (steps // 10) == 0:
        print(f"step {step}  loss {loss.item():.4f}")
print(f"last loss {loss.item():.4f} (guessing: {math.log(len(letters)):.4f})")
print(write(model, "Humpty ", 8 if quick else 80))
