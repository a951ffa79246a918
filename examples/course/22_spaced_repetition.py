"""When is a card due? A model of memory is fitted to review logs, then plans the next reviews.

Every review of a card changes its stability S, the days until recall falls to 90%: R(t) = (1 + t / (9 S))^-1. How much a review
strengthens a memory, and how much forgetting weakens it, are the few numbers that gradient descent finds. The logs are made up here
by a hidden learner, so that one can see whether the fit is right.
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(10)
quick = "--quick" in sys.argv
NAMES = ("first stability", "strengthening", "saturation", "spacing effect", "after forgetting")
HIDDEN = torch.tensor([2.5, 3.0, 0.25, 1.2, 0.4])


def recall(days, stability):
    return 1 / (1 + days / (9 * stability))


def after_review(stability, chance, remembered, p):
    """Stability after a review: grows more for unstable memories and for those nearly lost, shrinks if the card was forgotten."""
    grown = stability * (1 + p[1] * stability ** -p[2] * (torch.exp(p[3] * (1 - chance)) - 1))
    return torch.where(remembered, grown, (p[4] * stability).clamp(min=0.2))


def study(cards, reviews):
    """Logs of the hidden learner: days since the last review and whether the card was remembered, both (reviews, cards)."""
    stability, days, results = HIDDEN[0].expand(cards), [], []
    for _ in range(reviews):
        wait = (stability * (0.3 + 2.5 * torch.rand(cards))).round().clamp(min=1)
        chance = recall(wait, stability)
        remembered = torch.rand(cards) < chance
        stability = after_review(stability, chance, remembered, HIDDEN)
        days.append(wait)
        results.append(remembered)
    return torch.stack(days), torch.stack(results)


def chances(days, results, p):
    """The recall that the model foretells at each review of the logs."""
    stability, foretold = p[0].expand(days.size(1)), []
    for wait, remembered in zip(days, results):
        chance = recall(wait, stability)
        foretold.append(chance)
        stability = after_review(stability, chance, remembered, p)
    return torch.stack(foretold)


def log_loss(days, results, p):
    return F.binary_cross_entropy(chances(days, results, p).clamp(1e-4, 1 - 1e-4), results.float())


days, results = study(300 if quick else 3000, 8)
fresh = study(300 if quick else 3000, 8)
print(f"{results.numel()} reviews, {100 * results.float().mean():.1f}% remembered")
raw = nn.Parameter(torch.zeros(5))  # softplus keeps the five numbers positive
optimizer = torch.optim.Adam([raw], lr=0.05)
rounds = 30 if quick else 400
for turn in range(rounds):
    loss = log_loss(days, results, F.softplus(raw))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if turn % (rounds // 10) == 0:
        print(f"round {turn}  log loss {loss.item():.4f}")

fitted = F.softplus(raw).detach()
for name, value, true in zip(NAMES, fitted, HIDDEN):
    print(f"{name}: {value:.3f} (the hidden learner's: {true:.3f})")
share = fresh[1].float().mean()
constant = -(share * share.log() + (1 - share) * (1 - share).log())
print(f"new logs: log loss {log_loss(*fresh, fitted):.4f}, of the hidden learner itself {log_loss(*fresh, HIDDEN):.4f}, of a constant {constant:.4f}")

stability, plan = fitted[0], []
for _ in range(6):
    plan.append(max(1, round(stability.item())))
    stability = after_review(stability, torch.tensor(0.9), torch.tensor(True), fitted)
print("next reviews of a new card, each at 90% recall, after days:", *plan)
