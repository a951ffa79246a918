"""The demonstration that `python -m fastgrad` runs: a 64-32-10 network learns to read handwritten digits.

A program as a user would write it, with nothing but fastgrad's public names. The digits are data_files/digits.npz.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np

import fastgrad
from fastgrad import nn, optim

EPOCHS = 20
BATCH = 32
HELD_OUT = 0.2
SHOWN = 6


def load_digits():
    """1,797 images, float32 (n, 64) from 0 to 1, and their labels, int64 (n,)."""
    with np.load(Path(__file__).parent / "data_files" / "digits.npz") as file:
        images, labels = file["images"], file["labels"]
    return fastgrad.from_numpy(images.astype(np.float32)) / 16, fastgrad.from_numpy(labels.astype(np.int64))


def train_epoch(network, optimizer, images, labels):
    """One pass over the digits in random order; returns the number of steps."""
    loss_of = nn.CrossEntropyLoss()
    batches = fastgrad.randperm(len(images)).split(BATCH)
    for batch in batches:
        optimizer.zero_grad()
        loss = loss_of(network(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
    return len(batches)


@fastgrad.no_grad()
def read(network, images):
    """What the network takes the images for, int64 (n,), and how sure it is, float32 (n,)."""
    sure, digit = network(images).softmax(dim=1).max(dim=1)
    return digit, sure


def accuracy(network, images, labels):
    """The share of the images that the network reads right."""
    return (read(network, images)[0] == labels).float().mean().item()


def drawing(images):
    """The images (n, 64) side by side as text, darker for more ink."""
    shades = " ░▒▓█"
    try:
        shades.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        shades = " .:*#"
    pixels = (images * 4).round().long().numpy().reshape(-1, 8, 8)
    text = np.array([2 * shade for shade in shades])[pixels]  # two characters make a square
    return "\n".join("   ".join("".join(row) for row in line) for line in text.swapaxes(0, 1))


def show(network, images, labels):
    """Prints images with what the network says of them."""
    digits, sure = read(network, images)
    print(drawing(images))
    captions = []
    for digit, share, label in zip(digits.tolist(), sure.tolist(), labels.tolist()):
        verdict = f"{digit}, {share:.1%} sure" if digit == label else f"{digit}, but it is {label}"
        captions.append(verdict.ljust(16))
    print("   ".join(captions).rstrip())


def run():
    fastgrad.manual_seed(0)
    images, labels = load_digits()
    held_out = int(HELD_OUT * len(images))
    order = fastgrad.randperm(len(images))
    test, train = order[:held_out], order[held_out:]

    network = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
    optimizer = optim.Adam(network.parameters(), lr=0.02)
    count = sum(p.numel() for p in network.parameters())
    print(f"fastgrad learns to read: {len(train):,} handwritten digits, a 64-32-10 network, {count:,} weights\n")

    live = sys.stdout is not None and sys.stdout.isatty()
    steps, seconds = 0, 0.0
    for epoch in range(1, EPOCHS + 1):
        start = time.perf_counter()
        steps += train_epoch(network, optimizer, images[train], labels[train])
        for group in optimizer.param_groups:
            group["lr"] *= 0.86
        seconds += time.perf_counter() - start
        right = accuracy(network, images[test], labels[test])
        line = f"epoch {epoch:2}   {right:6.1%} of {held_out} unseen digits right"
        if live:
            print(line, end="\r", flush=True)
        elif epoch in (1, 2, 5) or epoch % 10 == 0:
            print(line, flush=True)
    print("\n" if live else "")
    print(f"{steps:,} steps of {BATCH} digits in {seconds:.2f} s, {seconds / steps * 1e3:.3f} ms a step\n")

    show(network, images[test[:SHOWN]], labels[test[:SHOWN]])
    wrong = test[read(network, images[test])[0] != labels[test]]
    if len(wrong):
        print(f"\n{len(wrong)} of {held_out} it reads wrongly:\n")
        show(network, images[wrong[:SHOWN]], labels[wrong[:SHOWN]])
    print("\nYour own program: python -m fastgrad train.py")


def main():
    """Runs the demonstration; returns the exit code."""
    try:
        run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough; the interpreter shall not write what is left, and fail, as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
